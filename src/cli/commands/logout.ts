import { namedRegistry, openCredentials } from '../connection/credentials.ts';
import type { Command } from '../context.ts';

/** @see docker/cli, cli/command/registry/logout.go */
export const run: Command = async ({ args, environment }) => {
  const registry = await namedRegistry(args[0]);
  const store = await openCredentials(environment);
  const shown = registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry;
  const wasThere = await store.erase(registry);
  environment.stdout.write(`${wasThere ? 'Removing login credentials for' : 'Not logged in to'} ${shown}\n`);
  return 0;
};

import type { Command } from '../context.ts';
import { repositoryAndTag } from '../repository-tag.ts';

export const run: Command = async ({ args, flags, engine, environment }) => {
  const [container, name] = args as readonly [string, string | undefined];
  const { Id } = await engine.json<{ Id: string }>('POST', '/commit', {
    query: {
      container,
      ...(name === undefined ? {} : repositoryAndTag(name)),
      author: flags.string('author'),
      comment: flags.string('message'),
      changes: flags.list('change'),
      pause: flags.bool('pause') ? 1 : 0,
    },
    body: {},
  });
  environment.stdout.write(`${Id}\n`);
  return 0;
};

import { BerthError } from '../../errors/index.ts';
import type { SecretMount, SshMount } from '../plan/graph.ts';
import type { StepEnv } from './step-env.ts';

/** What the caller of the build gives for a secret. @throws BerthError when it is required and not given */
export function lentSecret(env: StepEnv, { id, required }: SecretMount): Uint8Array | undefined {
  const content = env.secrets.get(id);
  if (content || !required) return content;
  throw new BerthError('invalid', `the secret ${id} is required, and was not given`, {
    hint: `give it with --secret id=${id},src=FILE or --secret id=${id},env=NAME`,
  });
}

/** The agent's socket on this machine. @throws BerthError when it is required and not lent */
export function lentAgent(env: StepEnv, { id, required }: SshMount): string | undefined {
  const socket = env.agents.get(id);
  if (socket !== undefined || !required) return socket;
  throw new BerthError('invalid', `the SSH agent ${id} is required, and was not given`, {
    hint: id === 'default' ? 'start ssh-agent, and give it with --ssh default' : `give it with --ssh ${id}=SOCKET`,
  });
}

import { BerthError } from '../../errors/index.ts';
import type { Attachment, AttachQuery } from '../api.ts';
import { openSession, type SessionOptions } from './client-session.ts';
import { announce, type Container, type ContainersContext } from './container.ts';
import { parseDetachKeys } from './detach-keys.ts';
import { logAfter, replayLog } from './logs.ts';

/**
 * A place at a container's streams, before or during its run.
 * @throws BerthError `conflict` for a paused container, `invalid` for detach keys
 */
export function attachContainer(context: ContainersContext, container: Container, query: AttachQuery): Attachment {
  const { config, state } = container.record;
  if (state.status === 'paused') {
    throw new BerthError('conflict', `container ${container.id} is paused, unpause the container before attach`);
  }
  const tty = config.Tty === true;
  const detachKeys = parseDetachKeys(query.detachKeys);
  // A process that reads on when its first client has gone is one that others may attach to.
  const endsProcessInput = config.StdinOnce === true && !tty;
  const readsInput = query.stream && query.stdin && config.OpenStdin === true;
  const { hub } = container;
  const session = openSession(hub, {
    tty,
    stdout: query.stdout,
    stderr: query.stderr,
    ...replayOf(context, container, query),
    catchUp: (from, signal) => logAfter(context, container, { from, hub, signal }),
    ...(readsInput ? { input: { endsProcessInput, ...(tty ? { detachKeys } : {}) } } : {}),
    onDetach: () => announce(context, container, 'detach'),
  });
  announce(context, container, 'attach');
  return session;
}

/** While it runs, the log alone tells everything in order: replayed output and live output would overlap. */
function replayOf(
  context: ContainersContext,
  container: Container,
  { logs, stream }: AttachQuery,
): Pick<SessionOptions, 'replay'> {
  if (!logs && stream) return {};
  if (!logs) return { replay: { entries: nothing(), whole: true } };
  const follow = stream && container.isActive;
  return { replay: { entries: replayLog(context, container, { follow }), whole: follow || !stream } };
}

async function* nothing(): AsyncGenerator<never> {}

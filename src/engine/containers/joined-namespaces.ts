import { BerthError } from '../../errors/index.ts';
import type { ContainerIsolation, NamespaceChoice } from '../../oci/index.ts';
import type { ContainersContext } from './container.ts';

/**
 * Finds the processes whose namespaces a container joins: those of other containers, as they run now.
 * @throws BerthError `not-found`, `conflict`
 */
export function joinedNamespaces(context: ContainersContext, isolation: ContainerIsolation): ContainerIsolation {
  const { ipc, pid } = isolation.namespaces;
  const namespaces = { ...isolation.namespaces, ipc: found(context, 'IPC', ipc), pid: found(context, 'PID', pid) };
  return { ...isolation, namespaces };
}

function found({ table }: ContainersContext, what: 'IPC' | 'PID', choice: NamespaceChoice): NamespaceChoice {
  if (choice.kind !== 'container') return choice;
  const { run, record } = table.get(choice.container);
  const refuse = (why: string, hint?: string) =>
    new BerthError('conflict', `can't join ${what} of container ${record.name}: ${why}`, hint ? { hint } : {});
  if (!run) throw refuse('it is not running', `start ${record.name} first`);
  const { kind } = record.launch.isolation?.namespaces.ipc ?? { kind: 'default' };
  if (what === 'IPC' && kind !== 'shareable' && kind !== 'host') {
    throw refuse('non-shareable IPC', `run ${record.name} with --ipc shareable`);
  }
  return kind === 'host' && what === 'IPC'
    ? { kind: 'host' }
    : { kind: 'process', pid: run.process.pid, bundle: run.process.bundle };
}

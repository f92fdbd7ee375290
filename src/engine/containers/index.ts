import type { WaitCondition, WaitResult } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { ContainersApi } from '../api.ts';
import { attachContainer } from './attach.ts';
import { commitContainer } from './commit.ts';
import type { Container, ContainersContext } from './container.ts';
import { createContainer } from './create.ts';
import type { Execs } from './exec.ts';
import { exportContainer } from './export.ts';
import { inspectContainer } from './inspect.ts';
import { listContainers } from './list.ts';
import { readLogs } from './logs.ts';
import { pauseContainer, unpauseContainer } from './pause.ts';
import { removeContainer } from './removal.ts';
import { renameContainer } from './rename.ts';
import { startContainer } from './start.ts';
import { containerStats } from './stats.ts';
import { killContainer, restartContainer, stopContainer } from './stop.ts';
import { updateContainer } from './update.ts';

export type { ContainersContext } from './container.ts';
export { Execs } from './exec.ts';
export { loadContainers, recoverContainers } from './recover.ts';
export { ContainerTable } from './table.ts';

/** The container half of the engine. */
export function createContainers(context: ContainersContext, execs: Execs): ContainersApi {
  const { table, ports } = context;
  return {
    create: (name, body) => createContainer(context, name, body),
    start: async (ref) => startContainer(context, table.get(ref)),
    stop: async (ref, options) => stopContainer(context, table.get(ref), options),
    restart: async (ref, options) => restartContainer(context, table.get(ref), options),
    kill: async (ref, signal) => killContainer(context, table.get(ref), signal),
    remove: async (ref, options) => removeContainer(context, table.get(ref), options),
    rename: async (ref, name) => renameContainer(context, table.get(ref), name),
    wait: async (ref, condition, signal) => ({ result: waitFor(table.get(ref), condition, signal) }),
    inspect: async (ref, options) => {
      const container = table.get(ref);
      const ids = execs.idsOf(container);
      const body = await inspectContainer(context, container, options);
      return { ...body, ExecIDs: ids.length > 0 ? ids : null };
    },
    list: (options) => listContainers(context, options),
    logs: async (ref, query) => {
      const container = table.get(ref);
      return { tty: container.record.config.Tty === true, entries: readLogs(context, container, query) };
    },
    attach: async (ref, query) => attachContainer(context, table.get(ref), query),
    resize: async (ref, rows, columns) => {
      const { run, id } = table.get(ref);
      if (!run) throw new BerthError('conflict', `container ${id} is not running`);
      await ports.runtime.resize(run.process, rows, columns);
    },
    pause: async (ref) => pauseContainer(context, table.get(ref)),
    unpause: async (ref) => unpauseContainer(context, table.get(ref)),
    update: async (ref, body) => updateContainer(context, table.get(ref), body),
    stats: async (ref, query) => containerStats(context, table.get(ref), query),
    exportTar: async (ref) => exportContainer(context, table.get(ref)),
    commit: async (ref, query) => commitContainer(context, table.get(ref), query),
    top: async (ref, psArgs) => {
      const { run, id } = table.get(ref);
      if (!run) throw new BerthError('conflict', `container ${id} is not running`);
      if (!ports.runtime.processes)
        throw new BerthError('unsupported', 'top is not there yet in this version of Berth');
      return ports.runtime.processes(run.process, psArgs);
    },
  };
}

/** Armed when it returns. */
function waitFor(container: Container, condition: WaitCondition, signal: AbortSignal): Promise<WaitResult> {
  if (condition === 'not-running' && !container.isActive) return Promise.resolve(container.waitResult());
  return container.waits.arm(condition, signal);
}

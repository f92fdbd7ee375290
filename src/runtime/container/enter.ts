import { mkdirSync } from 'node:fs';
import { anySupervisor } from '../conmon/supervisor.ts';
import { enterNamespace } from '../linux/namespace.ts';
import { runPaths } from './bundle.ts';

/**
 * Moves this process into the engine's own mount namespace: mounts of Berth never show, or stay, on the host, for the
 * namespace ends with the last of engine, supervisors and containers. While supervisors of an earlier engine live,
 * theirs is joined. Call it at process start, synchronously, before anything uses the thread pool. Idempotent.
 * @throws BerthError `forbidden` without the right to do so, `internal` when it is called too late
 */
export function enterEngineNamespace(options: { readonly runFolder: string }): void {
  mkdirSync(options.runFolder, { recursive: true, mode: 0o711 });
  enterNamespace({
    supervisorPid: anySupervisor(runPaths(options.runFolder).bundles),
    scratchFolder: `${options.runFolder}/cgroup-view`,
  });
}

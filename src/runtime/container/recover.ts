import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { waitUntil } from '../../linux/index.ts';
import { supervisorOf } from '../conmon/supervisor.ts';
import { deleteContainer, findProgram, findRuntime, runtimeNames } from '../crun/invoke.ts';
import { removeCgroup } from '../linux/cgroup.ts';
import { bundleFolder, listBundles, type RunPaths, readConfig, removeBundle } from './bundle.ts';

const supervisorEndMs = 2000;

/**
 * Ends what an earlier engine left behind: containers and build steps that are not in `liveIds`, then bundles,
 * cgroups and exit files without an owner. What is live is not touched. Idempotent.
 */
export async function recoverRuntime(runFolder: string, paths: RunPaths, liveIds: ReadonlySet<string>): Promise<void> {
  const live = new Set([...liveIds].map((id) => bundleFolder(paths, id)));
  for (const name of runtimeNames) {
    const state = `${runFolder}/${name}`;
    if (!existsSync(state) || !findProgram(name)) continue;
    const program = findRuntime(name, runFolder);
    for (const id of readdirSync(state)) {
      if (liveIds.has(id) || id.startsWith('.')) continue;
      await deleteContainer(program, id).catch(() => rmSync(`${state}/${id}`, { recursive: true, force: true }));
      removeCgroup(`/berth/${id}`);
    }
  }
  for (const bundle of listBundles(paths)) {
    if (live.has(bundle) || isExecOfLive(bundle)) continue;
    await endSupervisor(bundle);
    const cgroup = readConfig(bundle)?.linux.cgroupsPath;
    if (cgroup?.startsWith('/berth/')) removeCgroup(cgroup);
    removeBundle(bundle);
  }
  for (const id of existsSync(paths.exits) ? readdirSync(paths.exits) : []) {
    if (!liveIds.has(basename(id))) rmSync(`${paths.exits}/${id}`, { force: true });
  }
}

/** A terminal exec has a bundle without a config; while its supervisor lives, its container does. */
function isExecOfLive(bundle: string): boolean {
  return !existsSync(`${bundle}/config.json`) && supervisorOf(bundle) !== undefined;
}

/** A supervisor ends by itself when its process does; one that has none to wait for is ended. */
async function endSupervisor(bundle: string): Promise<void> {
  if (await waitUntil(() => supervisorOf(bundle) === undefined, supervisorEndMs)) return;
  const pid = supervisorOf(bundle);
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
}

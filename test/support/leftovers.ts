import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from './host.ts';

/** What a crash must not leave behind, in words; empty when all is clean. Looks at the host and at the engine's mounts. */
export function leftovers(host: Host, marker: string, options: { readonly liveRoots?: number } = {}): string[] {
  const data = join(host.root, 'layout-v1');
  const found: string[] = [];
  const engine = host.enginePid();
  const mountsOf = (pid: number | 'self') =>
    readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
      .split('\n')
      .filter((line) => line.includes(`${host.root}/`));
  if (mountsOf('self').length > 0) found.push(`mounts on the host: ${mountsOf('self').join('; ')}`);
  const engineMounts = engine ? mountsOf(engine) : [];
  if (engineMounts.length > (options.liveRoots ?? 0)) found.push(`mounts of the engine: ${engineMounts.join('; ')}`);
  for (const name of entries(join(data, 'roots'))) if (name.startsWith('build-')) found.push(`build root ${name}`);
  for (const name of entries(join(data, 'tmp'))) found.push(`temporary ${name}`);
  for (const name of entries(join(data, 'content/tmp'))) found.push(`temporary blob ${name}`);
  for (const name of entries(join(data, 'layers'))) {
    if (!existsSync(join(data, 'layers', name, 'layer.json'))) found.push(`half-made layer ${name}`);
  }
  for (const pid of processesWith(marker)) found.push(`process ${pid}`);
  return found;
}

/** Processes whose command line or environment holds a text. */
export function processesWith(marker: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        return (
          readFileSync(`/proc/${name}/cmdline`, 'utf8')
            .split('\0')
            .some((word) => word.includes(marker)) && !isClient(name)
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}

function isClient(pid: string): boolean {
  return /berth\.cjs|bin\/berth/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
}

function entries(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

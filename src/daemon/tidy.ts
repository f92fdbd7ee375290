import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { StoredParts } from './verify.ts';

/** Tells a later engine whether this one could finish what it had begun. */
export interface OpenMark {
  /** An earlier engine was killed. */
  readonly wasLeft: boolean;
  /** All is finished. */
  clear(): void;
}

export function markOpen(dataFolder: string): OpenMark {
  const file = `${dataFolder}/engine.open`;
  const wasLeft = existsSync(file);
  writeFileSync(file, '', { mode: 0o600 });
  return { wasLeft, clear: () => rmSync(file, { force: true }) };
}

/**
 * Removes what nothing needs, after a crash and before anybody is served. What cannot be read is left alone, and told:
 * an engine with a damaged store must still start.
 */
export async function tidyUp(parts: StoredParts, log: (line: string) => void): Promise<void> {
  const { dataFolder, records, snapshots, garbage, images } = parts;
  const tasks: readonly (readonly [what: string, work: () => Promise<unknown>])[] = [
    ['build records', () => records.sweep((chain) => snapshots.has(chain))],
    ['layers', () => garbage.collect()],
    ['content', () => images.orphans({ remove: true })],
    ['cache mounts', async () => removeLeftShelves(`${dataFolder}/cache/mounts`)],
  ];
  for (const [what, work] of tasks) {
    try {
      await work();
    } catch (error) {
      log(`cannot clean up ${what}: ${(error as Error).message}`);
    }
  }
}

function removeLeftShelves(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (name.startsWith('removed-')) rmSync(`${folder}/${name}`, { recursive: true, force: true });
  }
}

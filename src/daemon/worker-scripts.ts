import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const sources = {
  files: '../runtime/files/worker.ts',
  layers: '../runtime/snapshot/worker.ts',
  sender: '../registry-client/upload/sender/main.ts',
} as const;

/** The script of a worker thread or process: the bundle beside this one, or the source when Berth runs unbundled. */
export function workerScript(name: keyof typeof sources): string {
  const bundled = fileURLToPath(new URL(`./${name}-worker.cjs`, import.meta.url));
  return existsSync(bundled) ? bundled : fileURLToPath(new URL(sources[name], import.meta.url));
}

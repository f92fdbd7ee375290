import { statSync } from 'node:fs';
import type { BindRequest } from '../spec/mounts.ts';

/** A source that does not exist is left for the runtime to complain about. */
export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/**
 * Binds as the runtime takes them: a single file is bound on its own. Nothing is mounted below a file, and crun refuses
 * to make it recursively read-only.
 */
export function bindRequests(binds: readonly BindRequest[]): readonly BindRequest[] {
  return binds.map((bind) => (isDirectory(bind.source) ? bind : { ...bind, options: [...bind.options, 'bind'] }));
}

import { BerthError } from '../../errors/index.ts';

/** A mount as a client asked for it, whatever form it was written in. Paths are absolute and clean. */
export type MountRequest = BindRequest | VolumeMountRequest | TmpfsRequest | CacheRequest;

interface Shared {
  readonly target: string;
  readonly readonly: boolean;
  /** Mode words of `-v`, as they were written. */
  readonly mode: string;
}

export interface BindRequest extends Shared {
  readonly type: 'bind';
  readonly source: string;
  /** Propagation and recursion, in the runtime's words. */
  readonly options: readonly string[];
  /** A missing source is an error, where `-v` makes a folder. */
  readonly mustExist: boolean;
}

export interface VolumeMountRequest extends Shared {
  readonly type: 'volume';
  /** Absent: a volume of the container's own. */
  readonly name?: string;
  readonly driver?: string;
  readonly driverOptions?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** An empty volume is not filled with what the image has there. */
  readonly noCopy: boolean;
  readonly subpath?: string;
}

export interface TmpfsRequest extends Shared {
  readonly type: 'tmpfs';
  readonly options: string;
  /** `--tmpfs` is no mount point of its own in inspect; `--mount type=tmpfs` is. */
  readonly isListed: boolean;
}

/** A cache of builds: the folder that `RUN --mount=type=cache` with the same id has. Berth's own. */
export interface CacheRequest extends Shared {
  readonly type: 'cache';
  readonly id: string;
  readonly sharing: 'shared' | 'private' | 'locked';
}

/** Without `.`, `..` and double slashes, so that equal places are equal texts. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** @throws BerthError `invalid` when two mounts have one place */
export function refuseDuplicates(requests: readonly MountRequest[]): void {
  const seen = new Set<string>();
  for (const { target } of requests) {
    if (seen.has(target)) throw new BerthError('invalid', `Duplicate mount point: ${target}`);
    seen.add(target);
  }
}

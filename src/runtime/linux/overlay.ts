import { BerthError } from '../../errors/index.ts';
import { flags, mount } from './libc.ts';

/** Paths are relative to `folder`. */
export interface OverlayMount {
  readonly folder: string;
  /** Topmost first. */
  readonly lowers: readonly string[];
  /** Absent: a read-only view, which needs at least two lowers. */
  readonly writable?: { readonly upper: string; readonly work: string };
  readonly target: string;
  /** Ignore syncs and leave the upper unsynced at unmount: for roots that a crash may lose. Linux 5.10. */
  readonly unsynced?: boolean;
}

/** `mount(2)` copies one page of options. */
const MAX_DATA_BYTES = 4095;
/** What the options text would take for a separator or an escape. */
const SEPARATORS = /[,:\\]/;
/**
 * The upper must hold plain files only, so that it can become a layer: no redirects, no metadata-only copies.
 * The later sets are for kernels that do not know an option of the first.
 */
const OPTION_SETS = ['redirect_dir=off,metacopy=off,index=off,xino=off', 'redirect_dir=off,index=off', ''] as const;

let firstWorkingSet = 0;
let knowsVolatile = true;

/**
 * Mounts an overlay, 0.35 ms. Names are given relative to the folder when the absolute ones do not fit into the page
 * of options or hold a separator; the working directory then changes for the length of the system call.
 * @throws BerthError `unsupported` where overlay does not work, `invalid` for too many layers
 */
export function mountOverlay(overlay: OverlayMount): void {
  let failure: unknown;
  for (let set = firstWorkingSet; set < OPTION_SETS.length; set += 1) {
    for (const unsynced of overlay.unsynced && knowsVolatile ? [true, false] : [false]) {
      try {
        mountWith(
          overlay,
          [OPTION_SETS[set]!, unsynced ? 'volatile' : ''].filter((text) => text !== ''),
        );
        if (overlay.unsynced && !unsynced) knowsVolatile = false;
        firstWorkingSet = set;
        return;
      } catch (error) {
        failure = error;
        if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw explain(error, overlay);
      }
    }
  }
  throw explain(failure, overlay);
}

function mountWith(overlay: OverlayMount, options: readonly string[]): void {
  const target = `${overlay.folder}/${overlay.target}`;
  const absolute = optionText(overlay, options, `${overlay.folder}/`);
  const flag = overlay.writable ? 0 : flags.MS_RDONLY;
  if (Buffer.byteLength(absolute) <= MAX_DATA_BYTES && !SEPARATORS.test(overlay.folder)) {
    mount('overlay', target, 'overlay', flag, absolute);
    return;
  }
  const relative = optionText(overlay, options, '');
  if (relative.length > MAX_DATA_BYTES) {
    throw new BerthError('invalid', `${overlay.lowers.length} layers are more than this host can mount at once`, {
      hint: 'merge some steps of the Dockerfile into one, or copy the result into a fresh stage',
    });
  }
  const before = process.cwd();
  process.chdir(overlay.folder);
  try {
    mount('overlay', target, 'overlay', flag, relative);
  } finally {
    process.chdir(before);
  }
}

function optionText(overlay: OverlayMount, options: readonly string[], prefix: string): string {
  const lowers = `lowerdir=${overlay.lowers.map((lower) => prefix + lower).join(':')}`;
  const { writable } = overlay;
  const upper = writable ? [`upperdir=${prefix}${writable.upper}`, `workdir=${prefix}${writable.work}`] : [];
  return [lowers, ...upper, ...options].join(',');
}

function explain(error: unknown, overlay: OverlayMount): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EINVAL' || code === 'ENODEV' || code === 'EPERM' || code === 'EOPNOTSUPP') {
    const hint =
      code === 'ENODEV'
        ? 'load the kernel module: modprobe overlay'
        : code === 'EPERM'
          ? 'run the engine as root, or where it may mount (CAP_SYS_ADMIN)'
          : 'set BERTH_ROOT to a folder on ext4 or xfs: overlay, NFS and some others cannot hold writable layers';
    return new BerthError('unsupported', `overlay mounts do not work on this host in ${overlay.folder} (${code})`, {
      hint,
      cause: error,
    });
  }
  return error;
}

import { access } from 'node:fs/promises';
import { BerthError } from '../../errors/index.ts';
import type { ContainerSpec } from '../ports.ts';
import { cleanPath, type ParsedBind } from './binds.ts';

/** `HostConfig.Mounts`, as far as Berth honours it. @see Docker Engine API v1.50, `Mount` */
interface MountBody {
  readonly Type?: string;
  readonly Source?: string;
  readonly Target?: string;
  readonly ReadOnly?: boolean;
  readonly BindOptions?: {
    readonly Propagation?: string;
    readonly NonRecursive?: boolean;
    readonly CreateMountpoint?: boolean;
  };
  readonly TmpfsOptions?: { readonly SizeBytes?: number; readonly Mode?: number };
}

export interface ParsedMounts {
  readonly binds: readonly ParsedBind[];
  readonly tmpfs: readonly { readonly target: string; readonly options: string }[];
}

/**
 * Reads `--mount` values. Unlike `-v`, a missing source is a mistake: see `requireSources`.
 * @throws BerthError `invalid`, and `unsupported` for volumes
 */
export function parseMounts(value: unknown): ParsedMounts {
  const mounts = Array.isArray(value) ? (value as readonly MountBody[]) : [];
  const binds: ParsedBind[] = [];
  const tmpfs: ParsedMounts['tmpfs'][number][] = [];
  for (const mount of mounts) {
    if (!mount.Target?.startsWith('/')) throw invalid(mount, 'the target must be an absolute path');
    if (mount.Type === 'bind') binds.push(bindOf(mount, mount.Target));
    else if (mount.Type === 'tmpfs') tmpfs.push({ target: cleanPath(mount.Target), options: tmpfsOptions(mount) });
    else {
      throw new BerthError(
        'unsupported',
        `--mount type=${mount.Type ?? 'volume'} is not there yet in this version of Berth`,
        {
          hint: 'use type=bind or type=tmpfs',
        },
      );
    }
  }
  return { binds, tmpfs };
}

/** @throws BerthError `invalid` for a bind whose source does not exist and may not be made */
export async function requireSources(binds: ContainerSpec['binds']): Promise<void> {
  for (const { source, mustExist } of binds) {
    if (!mustExist) continue;
    await access(source).catch((cause) => {
      throw new BerthError(
        'invalid',
        `invalid mount config for type "bind": bind source path does not exist: ${source}`,
        {
          hint: 'make it first, or use -v, which makes a missing folder',
          cause,
        },
      );
    });
  }
}

function bindOf(mount: MountBody, target: string): ParsedBind {
  if (!mount.Source?.startsWith('/')) throw invalid(mount, 'the source must be an absolute path');
  const { Propagation, NonRecursive = false, CreateMountpoint = false } = mount.BindOptions ?? {};
  const readonly = mount.ReadOnly ?? false;
  const source = cleanPath(mount.Source);
  return {
    bind: {
      source,
      target: cleanPath(target),
      readonly,
      options: [...(Propagation ? [Propagation] : []), ...(NonRecursive ? ['bind'] : [])],
      ...(CreateMountpoint ? {} : { mustExist: true }),
    },
    mount: {
      Type: 'bind',
      Source: source,
      Destination: cleanPath(target),
      Mode: '',
      RW: !readonly,
      Propagation: Propagation ?? 'rprivate',
    },
  };
}

function tmpfsOptions({ TmpfsOptions = {}, ReadOnly = false }: MountBody): string {
  const { SizeBytes, Mode } = TmpfsOptions;
  return [
    ...(SizeBytes ? [`size=${SizeBytes}`] : []),
    ...(Mode ? [`mode=${Mode.toString(8)}`] : []),
    ...(ReadOnly ? ['ro'] : []),
  ].join(',');
}

function invalid({ Type }: MountBody, why: string): BerthError {
  return new BerthError('invalid', `invalid mount config for type "${Type ?? 'volume'}": ${why}`);
}

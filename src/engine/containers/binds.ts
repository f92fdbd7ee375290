import type { MountPoint } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { ContainerSpec } from '../ports.ts';

type Bind = ContainerSpec['binds'][number];

const PROPAGATION = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];
/** Accepted and without effect here: labels for SELinux, and consistency that only Docker Desktop had. */
const WITHOUT_EFFECT = ['z', 'Z', 'consistent', 'cached', 'delegated', 'default'];

export interface ParsedBind {
  readonly bind: Bind;
  readonly mount: MountPoint;
}

/**
 * Reads `-v` values, as `/src:/dst[:ro,rslave]`.
 * @throws BerthError `invalid`, and `unsupported` for volumes
 */
export function parseBinds(texts: readonly string[]): readonly ParsedBind[] {
  return texts.map(parseBind);
}

/** @throws BerthError `invalid` when two mounts have one place */
export function refuseDuplicates(targets: readonly string[]): void {
  const seen = new Set<string>();
  for (const target of targets) {
    if (seen.has(target)) throw new BerthError('invalid', `Duplicate mount point: ${target}`);
    seen.add(target);
  }
}

function parseBind(text: string): ParsedBind {
  const parts = text.split(':');
  const [source = '', destination = '', mode = ''] = parts;
  if (parts.length > 3 || source === '' || (parts.length > 1 && destination === '')) throw invalid(text);
  if (parts.length === 1) throw volumesComeLater(`the anonymous volume ${source}`);
  if (!source.startsWith('/')) {
    if (source.startsWith('.') || source.includes('/')) {
      throw invalid(text, 'the source must be an absolute path', 'write the whole path of the folder');
    }
    throw volumesComeLater(`the volume ${source}`);
  }
  const target = cleanPath(destination);
  if (!destination.startsWith('/')) throw invalid(text, 'the mount path must be absolute');
  if (target === '/') throw invalid(text, "destination can't be '/'");
  const words = mode === '' ? [] : mode.split(',');
  const propagation = words.filter((word) => PROPAGATION.includes(word));
  const access = words.filter((word) => word === 'ro' || word === 'rw');
  const known = propagation.length + access.length + words.filter((word) => WITHOUT_EFFECT.includes(word)).length;
  if (known !== words.length || propagation.length > 1 || access.length > 1) {
    throw new BerthError('invalid', `invalid mode: ${mode}`, {
      hint: 'write ro or rw, and at most one of rshared, rslave, rprivate',
    });
  }
  const readonly = access[0] === 'ro';
  return {
    bind: { source: cleanPath(source), target, readonly, options: propagation },
    mount: {
      Type: 'bind',
      Source: cleanPath(source),
      Destination: target,
      Mode: mode,
      RW: !readonly,
      Propagation: propagation[0] ?? 'rprivate',
    },
  };
}

export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function invalid(text: string, why?: string, hint?: string): BerthError {
  const message = `invalid volume specification: '${text}'${why ? `: ${why}` : ''}`;
  return new BerthError('invalid', message, hint ? { hint } : {});
}

function volumesComeLater(what: string): BerthError {
  return new BerthError('unsupported', `${what} cannot be mounted: volumes come later in Berth`, {
    hint: 'mount a folder by its absolute path, as -v /path:/path',
  });
}

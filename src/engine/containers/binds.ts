import { BerthError } from '../../errors/index.ts';
import { cleanPath, type MountRequest } from './mount-request.ts';

const PROPAGATION = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];
/** Accepted and without effect here: labels for SELinux, and consistency that only Docker Desktop had. */
const WITHOUT_EFFECT = ['z', 'Z', 'consistent', 'cached', 'delegated', 'default'];

/** Reads `-v` values: `/src:/dst[:ro,rslave]`, `volume:/dst[:nocopy]`, `/dst`. @throws BerthError `invalid` */
export function parseBinds(texts: readonly string[], driver?: string): readonly MountRequest[] {
  return texts.map((text) => parseBind(text, driver));
}

function parseBind(text: string, driver: string | undefined): MountRequest {
  const parts = text.split(':');
  if (parts.length > 3 || parts[0] === '' || (parts.length > 1 && parts[1] === '')) throw invalid(text);
  const [source, destination, mode = ''] = parts.length === 1 ? [undefined, parts[0]!] : (parts as [string, string]);
  const target = cleanPath(destination);
  if (!destination.startsWith('/')) throw invalid(text, 'the mount path must be absolute');
  if (target === '/') throw invalid(text, "destination can't be '/'");
  const words = readMode(mode);
  const shared = { target, readonly: words.readonly, mode };
  if (source?.startsWith('/')) {
    if (words.noCopy) throw invalidMode(mode, 'nocopy is for volumes: a folder of the host is never filled');
    return { type: 'bind', ...shared, source: cleanPath(source), options: words.options, mustExist: false };
  }
  if (source?.startsWith('.') || source?.includes('/')) {
    throw invalid(text, 'the source must be an absolute path', 'write the whole path of the folder');
  }
  if (words.options.length > 0) throw invalidMode(mode, `${words.options[0]} is for folders of the host`);
  return {
    type: 'volume',
    ...shared,
    noCopy: words.noCopy,
    ...(source === undefined ? {} : { name: source }),
    ...(driver ? { driver } : {}),
  };
}

interface Mode {
  readonly readonly: boolean;
  readonly noCopy: boolean;
  /** Propagation, and `idmap`. */
  readonly options: readonly string[];
}

function readMode(mode: string): Mode {
  const words = mode === '' ? [] : mode.split(',');
  const propagation = words.filter((word) => PROPAGATION.includes(word));
  const access = words.filter((word) => word === 'ro' || word === 'rw');
  const others = words.filter((word) => WITHOUT_EFFECT.includes(word) || word === 'nocopy' || word === 'idmap');
  if (propagation.length + access.length + others.length !== words.length) throw invalidMode(mode);
  if (propagation.length > 1 || access.length > 1) throw invalidMode(mode);
  const options = [...propagation, ...(words.includes('idmap') ? ['idmap'] : [])];
  return { readonly: access[0] === 'ro', noCopy: words.includes('nocopy'), options };
}

function invalidMode(
  mode: string,
  hint = 'write ro or rw, nocopy for a volume, idmap, and at most one of rshared, rslave, rprivate',
): BerthError {
  return new BerthError('invalid', `invalid mode: ${mode}`, { hint });
}

function invalid(text: string, why?: string, hint?: string): BerthError {
  const message = `invalid volume specification: '${text}'${why ? `: ${why}` : ''}`;
  return new BerthError('invalid', message, hint ? { hint } : {});
}

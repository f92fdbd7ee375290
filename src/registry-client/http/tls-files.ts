import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { BerthError } from '../../errors/index.ts';

/** What a registry's folder of certificates says. */
export interface TlsFiles {
  /** The usual roots and the folder's own; absent when the folder adds none. */
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
}

/**
 * Reads `<folder>/<host[:port]>/`: `*.crt` are roots to trust, `x.cert` with `x.key` is the client's own certificate.
 * The first folder that knows the host counts.
 * @throws BerthError `invalid` for a certificate without key
 * @see docker documentation, "Verify repository client with certificates"
 */
export function readTlsFiles(folders: readonly string[], authority: string): TlsFiles {
  if (authority.includes('/') || authority.startsWith('.')) return {};
  for (const folder of folders) {
    const place = join(folder, authority);
    const names = list(place);
    if (names !== undefined) return readFolder(place, names);
  }
  return {};
}

function readFolder(place: string, names: readonly string[]): TlsFiles {
  const read = (name: string) => readFileSync(join(place, name), 'utf8');
  const roots = names.filter((name) => name.endsWith('.crt')).map(read);
  const certName = names.find((name) => name.endsWith('.cert'));
  const keyName = certName?.replace(/cert$/, 'key');
  if (keyName !== undefined && !names.includes(keyName)) {
    throw new BerthError('invalid', `${join(place, certName ?? '')} has no ${keyName} beside it`);
  }
  return {
    ...(roots.length === 0 ? {} : { ca: [...rootCertificates, ...roots] }),
    ...(certName === undefined || keyName === undefined ? {} : { cert: read(certName), key: read(keyName) }),
  };
}

function list(place: string): readonly string[] | undefined {
  try {
    return readdirSync(place).sort();
  } catch {
    return undefined;
  }
}

import { BerthError } from '../../errors/index.ts';

/** Where an engine listens. */
export type EngineAddress =
  | { readonly kind: 'unix'; readonly socketPath: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

const DEFAULT_TCP_PORT = 2375;

/**
 * Reads `unix:///path`, `tcp://host:port`, or a bare `host:port`, as `-H` and DOCKER_HOST hold it.
 * @throws BerthError `invalid`, `unsupported`
 */
export function parseHost(text: string): EngineAddress {
  const [, scheme = 'tcp', rest = ''] = /^(?:([a-z]+):\/\/)?(.*)$/s.exec(text.trim()) ?? [];
  switch (scheme) {
    case 'unix':
      if (!rest.startsWith('/'))
        throw new BerthError('invalid', `not an absolute socket path: ${text}`, { hint: 'write unix:///path' });
      return { kind: 'unix', socketPath: rest };
    case 'tcp':
    case 'http':
      return parseTcp(rest, text);
    default:
      throw new BerthError('unsupported', `${scheme}:// hosts are not available yet: ${text}`, {
        hint: 'use unix:// or tcp://',
      });
  }
}

function parseTcp(rest: string, text: string): EngineAddress {
  const [, v6, name, digits] = /^(?:\[([0-9a-f:.]+)\]|([^:/[\]\s]+))(?::(\d+))?\/?$/i.exec(rest) ?? [];
  const host = v6 ?? name;
  const port = digits === undefined ? DEFAULT_TCP_PORT : Number(digits);
  if (host === undefined || port < 1 || port > 65535) {
    throw new BerthError('invalid', `not an engine address: ${JSON.stringify(text)}`, {
      hint: 'write unix:///path or tcp://host:port',
    });
  }
  return { kind: 'tcp', host, port };
}

import { isAbsolute } from 'node:path';
import { BerthError } from '../../../errors/index.ts';
import { parseRegistryConfigHeader } from '../../contract/index.ts';
import type { Exchange } from '../exchange.ts';
import type { BuildInput } from '../ports.ts';
import { optional, type Query } from '../query.ts';
import { readLent, readText } from './lent.ts';

const MAX_DOCKERFILE_BYTES = 16 << 20;
const DOCKERFILE_TYPE = /^text\/x-dockerfile\s*(;|$)/i;

/**
 * Parameters of the classic builder that have no meaning here yet, with the values that ask for nothing. Another
 * value is refused: a limit or a switch must not be dropped in silence.
 */
const UNSUPPORTED: Readonly<Record<string, readonly string[]>> = {
  memory: ['0'],
  memswap: ['0'],
  cpushares: ['0'],
  cpuperiod: ['0'],
  cpuquota: ['0'],
  cpusetcpus: [],
  cpusetmems: [],
  shmsize: ['0'],
  ulimits: ['null', '[]'],
  extrahosts: ['null', '[]'],
  securityopt: ['null', '[]'],
  cgroupparent: [],
  squash: ['0', 'false'],
  pull: ['0', 'false'],
  isolation: ['default'],
  outputs: ['null', '[]'],
};

/** What a `POST /build` asks for. @throws BerthError `invalid`, `forbidden`, `unsupported` */
export async function readBuildInput(exchange: Exchange): Promise<BuildInput> {
  const { query } = exchange;
  refuseUnsupported(query);
  const sourceDateEpoch = query.integer('berth-epoch');
  const { lent, body } = await readLent(exchange);
  return {
    ...lent,
    ...(await readSource(exchange, body)),
    names: query.all('t'),
    ...optional('target', query.text('target')),
    buildArgs: textMap(query, 'buildargs', true),
    labels: textMap(query, 'labels', false) as Readonly<Record<string, string>>,
    noCache: query.flag('nocache'),
    ...optional('platform', query.text('platform')),
    ...optional('sourceDateEpoch', sourceDateEpoch),
    ...optional('network', query.text('networkmode')),
    auths: parseRegistryConfigHeader(exchange.header('x-registry-config')),
  };
}

async function readSource(
  exchange: Exchange,
  body: () => AsyncIterable<Uint8Array>,
): Promise<Pick<BuildInput, 'source' | 'dockerfile'>> {
  const { query } = exchange;
  const context = localPath(exchange, 'berth-context');
  const file = localPath(exchange, 'berth-dockerfile');
  const isText = DOCKERFILE_TYPE.test(exchange.header('content-type') ?? '');
  const inContext = { kind: 'in-context', path: query.text('dockerfile') ?? 'Dockerfile' } as const;
  const dockerfile = isText
    ? ({ kind: 'text', text: await readText(body(), MAX_DOCKERFILE_BYTES), name: 'Dockerfile' } as const)
    : file === undefined
      ? inContext
      : ({ kind: 'file', path: file } as const);
  if (context !== undefined) return { source: { kind: 'path', path: context }, dockerfile };
  if (isText && query.text('remote') === undefined) return { source: { kind: 'dockerfile-only' }, dockerfile };
  const url = query.text('remote');
  // Docker's client calls the context that it sends so.
  if (url !== undefined && url !== 'client-session') return { source: { kind: 'remote', url }, dockerfile };
  return { source: { kind: 'tar', stream: body() }, dockerfile };
}

/** A path on this machine. Only who can open our socket file shares this machine's files. */
function localPath({ query, transport }: Exchange, name: string): string | undefined {
  const path = query.text(name);
  if (path === undefined) return undefined;
  if (transport !== 'unix') throw new BerthError('forbidden', `${name} is accepted on the local socket only`);
  if (!isAbsolute(path)) throw new BerthError('invalid', `${name} must be an absolute path: ${path}`);
  return path;
}

function refuseUnsupported(query: Query): void {
  if (query.text('version') === '2') {
    throw new BerthError('unsupported', 'building through BuildKit sessions is not available yet', {
      hint: 'set DOCKER_BUILDKIT=0',
    });
  }
  for (const [name, neutral] of Object.entries(UNSUPPORTED)) {
    const value = query.text(name);
    if (value !== undefined && !neutral.includes(value)) {
      throw new BerthError('unsupported', `the build option ${name}=${value} is not available yet`);
    }
  }
}

/** A JSON object of strings; null means "no value" where it is allowed. */
function textMap(query: Query, name: string, nulls: boolean): Readonly<Record<string, string | null>> {
  const value = query.json(name) ?? {};
  const fine = (item: unknown) => typeof item === 'string' || (nulls && item === null);
  if (typeof value !== 'object' || Array.isArray(value) || !Object.values(value).every(fine)) {
    throw new BerthError('invalid', `invalid value for ${name}: must be a JSON object of strings`);
  }
  return value as Readonly<Record<string, string | null>>;
}

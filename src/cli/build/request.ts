import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RequestOptions } from '../../api/client/index.ts';
import type { VersionBody } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import { parseReference } from '../../oci/index.ts';
import { registryConfigHeader } from '../connection/registry-auth.ts';
import { ownPlatform } from '../container/create-container.ts';
import { keyValues } from '../container/key-values.ts';
import type { CommandContext } from '../context.ts';
import { paintFor } from '../paint.ts';
import { readAgents, readSecrets, secretsPreamble } from './lent.ts';
import { registriesOf } from './registries.ts';
import { type BuildSource, guestName } from './source.ts';

type Request = Pick<RequestOptions, 'query' | 'body' | 'headers'>;

/** The `POST /build` that the flags stand for. @throws BerthError `invalid` before anything is sent */
export async function buildRequest(context: CommandContext, source: BuildSource): Promise<Request> {
  const { flags, engine, environment } = context;
  const tags = flags.list('tag');
  for (const tag of tags) parseReference(tag);
  const platform = flags.string('platform');
  const network = flags.string('network');
  const query = {
    'berth-events': 1,
    t: tags,
    target: flags.string('target'),
    nocache: flags.bool('no-cache') ? 1 : undefined,
    buildargs: readBuildArgs(flags.list('build-arg'), environment.env),
    labels: keyValues(flags.list('label')),
    networkmode: network === 'default' ? undefined : network,
    platform: engine.host.isLocal ? ownPlatform(platform) : platform,
    'berth-epoch': sourceDateEpoch(environment.env['SOURCE_DATE_EPOCH']),
    'berth-allow': flags.list('allow'),
    'berth-ssh': lendAgents(context),
  };
  const { env, stderr } = environment;
  const warn = (text: string) => stderr.write(`${paintFor(stderr)('warning:', 'warning')} ${text}\n`);
  const auths = await registryConfigHeader(registriesOf(dockerfileText(source)), env, warn);
  const secrets = readSecrets(flags.list('secret'), environment);
  const content = await sourceRequest(source, engine.host.isLocal);
  const headers = { ...auths, ...content.headers };
  const request = { ...content, headers, query: { ...query, ...content.query } };
  if (secrets.size === 0) return request;
  await refuseStrangers(context);
  const { header, bytes } = secretsPreamble(secrets);
  return { ...request, headers: { ...headers, ...header }, body: behind(bytes, content.body) };
}

/** Undefined when only the engine will see it. */
function dockerfileText(source: BuildSource): string | undefined {
  if (source.kind === 'text') return String(source.text);
  if (source.kind !== 'folder') return undefined;
  const { root, dockerfile } = source;
  if (dockerfile.kind === 'text') return String(dockerfile.text);
  const path = dockerfile.kind === 'outside' ? dockerfile.path : join(root, dockerfile.path ?? 'Dockerfile');
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** An agent's socket is of this machine. */
function lendAgents({ flags, engine, environment }: CommandContext): object | undefined {
  const wanted = flags.list('ssh');
  if (wanted.length === 0) return undefined;
  if (engine.host.isLocal) return readAgents(wanted, environment);
  throw new BerthError('unsupported', `--ssh needs the engine of this machine, and ${engine.host.url} is another one`);
}

/** Another engine would take the secrets for a part of the context. */
async function refuseStrangers({ engine }: CommandContext): Promise<void> {
  if (engine.host.isLocal) return;
  const { Platform } = await engine.json<Partial<VersionBody>>('GET', '/version');
  if (Platform?.Name === 'Berth') return;
  throw new BerthError('unsupported', `--secret needs a Berth engine, and the one at ${engine.host.url} is another`);
}

function behind(head: Buffer, body: Request['body']): Uint8Array | AsyncIterable<Uint8Array> {
  if (body === undefined) return head;
  if (typeof body === 'string' || body instanceof Uint8Array)
    return Buffer.concat([head, Buffer.from(body as Uint8Array)]);
  const rest = body as AsyncIterable<Uint8Array>;
  return (async function* () {
    yield head;
    yield* rest;
  })();
}

async function sourceRequest(source: BuildSource, isLocal: boolean): Promise<Request> {
  if (source.kind === 'text') return { headers: DOCKERFILE, body: source.text };
  if (source.kind === 'remote') return remoteRequest(source);
  if (source.kind === 'archive') return { headers: TAR, body: source.stream, query: { dockerfile: source.dockerfile } };
  return isLocal ? inPlace(source) : await asArchive(source);
}

function remoteRequest({ url, dockerfile }: BuildSource & { readonly kind: 'remote' }): Request {
  if (typeof dockerfile !== 'object') return { query: { remote: url, dockerfile } };
  return { query: { remote: url }, headers: DOCKERFILE, body: dockerfile.text };
}

type FolderSource = BuildSource & { readonly kind: 'folder' };

const DOCKERFILE = { 'Content-Type': 'text/x-dockerfile' };
const TAR = { 'Content-Type': 'application/x-tar' };

/** The local engine reads the folder itself. */
function inPlace({ root, dockerfile }: FolderSource): Request {
  const query = { 'berth-context': root };
  if (dockerfile.kind === 'text') return { query, headers: DOCKERFILE, body: dockerfile.text };
  if (dockerfile.kind === 'outside') return { query: { ...query, 'berth-dockerfile': dockerfile.path } };
  return { query: { ...query, dockerfile: dockerfile.path } };
}

async function asArchive({ root, dockerfile }: FolderSource): Promise<Request> {
  const { packContext } = await import('./context-tar.ts');
  if (dockerfile.kind === 'inside') {
    return {
      headers: TAR,
      body: packContext(root, { dockerfile: dockerfile.path }),
      query: { dockerfile: dockerfile.path },
    };
  }
  const text = dockerfile.kind === 'text' ? dockerfile.text : readFileSync(dockerfile.path);
  const name = guestName(text);
  const beside = dockerfile.kind === 'outside' ? `${dockerfile.path}.dockerignore` : undefined;
  const ignore = beside && existsSync(beside) ? { ignore: readFileSync(beside) } : {};
  const body = packContext(root, { dockerfile: name, guest: { name, text, ...ignore } });
  return { headers: TAR, body, query: { dockerfile: name } };
}

/** A bare name takes its value from the environment; the engine leaves it out where it has none. */
export function readBuildArgs(
  flags: readonly string[],
  env: CommandContext['environment']['env'],
): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    flags.map((flag) => {
      const equals = flag.indexOf('=');
      return equals < 0 ? [flag, env[flag] ?? null] : [flag.slice(0, equals), flag.slice(equals + 1)];
    }),
  );
}

function sourceDateEpoch(text: string | undefined): number | undefined {
  if (!text) return undefined;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new BerthError('invalid', `SOURCE_DATE_EPOCH must be a number of seconds, not ${JSON.stringify(text)}`);
}

import type { ImagesApi, ImportQuery } from '../../../engine/index.ts';
import { BerthError } from '../../../errors/index.ts';
import { formatPlatform, hostPlatform, type Platform, parsePlatform } from '../../../oci/index.ts';
import { FILTER_KEYS, type JsonMessage, parseFilters, parseRegistryAuth } from '../../contract/index.ts';
import type { Exchange } from '../exchange.ts';
import { JsonStream, sendBytes, sendMessages } from '../json-stream.ts';
import type { Services } from '../ports.ts';
import { optional } from '../query.ts';
import type { Handlers } from '../router.ts';
import { reachable } from './registries.ts';

export function imageRoutes(services: Services): Handlers {
  const { images } = services.engine;
  return {
    async 'GET /images/json'(exchange) {
      const { query } = exchange;
      const filters = parseFilters(query.text('filters'), FILTER_KEYS.images);
      exchange.sendJson(
        200,
        await images.list({ all: query.flag('all'), filters, sharedSize: query.flag('shared-size') }),
      );
    },

    async 'GET /images/{name:.*}/json'(exchange) {
      exchange.sendJson(200, await images.inspect(exchange.param('name')));
    },

    async 'GET /images/{name:.*}/history'(exchange) {
      exchange.sendJson(200, await images.history(exchange.param('name')));
    },

    async 'POST /images/{name:.*}/tag'(exchange) {
      const repo = exchange.query.text('repo');
      if (repo === undefined) throw new BerthError('invalid', 'tag needs the name of a repository');
      await images.tag(exchange.param('name'), repo, exchange.query.text('tag'));
      exchange.sendEmpty(201);
    },

    async 'DELETE /images/{name:.*}'(exchange) {
      const { query } = exchange;
      const options = { force: query.flag('force'), prune: !query.flag('noprune') };
      exchange.sendJson(200, await images.remove(exchange.param('name'), options));
    },

    async 'GET /images/{name:.*}/get'(exchange) {
      await checkPlatform(exchange, [exchange.param('name')], images);
      await sendBytes(exchange, 'application/x-tar', await images.save([exchange.param('name')]));
    },

    async 'GET /images/get'(exchange) {
      const names = exchange.query.all('names');
      if (names.length === 0) throw new BerthError('invalid', 'save needs the name of an image');
      await checkPlatform(exchange, names, images);
      await sendBytes(exchange, 'application/x-tar', await images.save(names));
    },

    async 'POST /images/{name:.*}/push'(exchange) {
      await push(exchange, services);
    },

    async 'GET /distribution/{name:.*}/json'(exchange) {
      const { distribution } = services;
      if (!distribution) throw new BerthError('unsupported', 'this engine cannot reach registries');
      const auth = parseRegistryAuth(exchange.header('x-registry-auth'));
      const { signal } = exchange;
      const found = await distribution.inspect(exchange.param('name'), { ...optional('auth', auth), signal });
      exchange.sendJson(200, found);
    },

    async 'POST /images/load'(exchange) {
      refuseForeignLoad(platformOf(exchange));
      await sendMessages(exchange, images.load(exchange.body(), exchange.signal));
    },

    async 'POST /images/create'(exchange) {
      if (exchange.query.text('fromImage') !== undefined) return pull(exchange, services);
      await importImage(exchange, services);
    },
  };
}

/** Images here have one platform each. @throws BerthError `not-found` when another one is asked for */
async function checkPlatform(exchange: Exchange, names: readonly string[], images: ImagesApi): Promise<void> {
  const wanted = platformOf(exchange);
  if (wanted === undefined) return;
  for (const name of names) {
    const { Os, Architecture, Variant } = await images.inspect(name);
    const has = formatPlatform(parsePlatform([Os, Architecture, Variant].filter(Boolean).join('/')));
    // 64-bit ARM has one variant in practice, which is named or not.
    const [is, asked] = [has, formatPlatform(wanted)].map((text) => text.replace('/arm64/v8', '/arm64'));
    if (is === asked) continue;
    throw new BerthError('not-found', `image ${name} is for ${has}: it does not provide ${formatPlatform(wanted)}`);
  }
}

function refuseForeignLoad(wanted: Platform | undefined): void {
  if (wanted === undefined) return;
  const own = formatPlatform(hostPlatform(process.arch));
  if (formatPlatform(wanted) === own) return;
  throw new BerthError('unsupported', `load takes images for ${own} out of an archive, not for another platform`, {
    hint: 'leave --platform out, or pull the image with --platform',
  });
}

/** As `linux/arm64`, or as the JSON of newer clients. */
function platformOf({ query }: Exchange): Platform | undefined {
  const text = query.text('platform');
  if (text === undefined) return undefined;
  if (!text.startsWith('{')) return parsePlatform(text);
  const { os, architecture, variant } = query.json('platform') as Readonly<Record<string, unknown>>;
  return parsePlatform([os, architecture, variant].filter((part) => typeof part === 'string' && part !== '').join('/'));
}

async function importImage(exchange: Exchange, services: Services): Promise<void> {
  const { query, signal } = exchange;
  const source = query.text('fromSrc');
  if (source === undefined) throw new BerthError('invalid', 'one of fromImage and fromSrc is needed');
  const options = {
    ...optional('repo', query.text('repo')),
    ...optional('tag', query.text('tag')),
    ...optional('message', query.text('message')),
    changes: query.all('changes'),
    ...optional('platform', query.text('platform')),
    signal,
  };
  if (source === '-') return sendMessages(exchange, services.engine.images.import(exchange.body(), options));
  await sendMessages(exchange, importFrom(source, options, services));
}

async function* importFrom(source: string, options: ImportQuery, services: Services): AsyncGenerator<JsonMessage> {
  // As docker does for what has no scheme.
  const url = source.includes('://') ? source : `http://${source}`;
  const download = await reachable(services).download(url, options.signal);
  try {
    yield { status: `Downloading from ${withoutSecrets(url)}` };
    const message = options.message ?? `Imported from ${withoutSecrets(url)}`;
    yield* services.engine.images.import(download.content, { ...options, message });
  } finally {
    await download.dispose();
  }
}

/** A user name, a password and a query, which may hold a key, are not for the history of an image. */
function withoutSecrets(url: string): string {
  return url.replace(/[?#].*$/s, '').replace(/^([a-z]+:\/\/)[^/]*@/i, '$1');
}

async function pull(exchange: Exchange, { pulls }: Services): Promise<void> {
  const { query, signal } = exchange;
  if (!pulls) {
    throw new BerthError('unsupported', 'pulling images is not available in this version of Berth yet', {
      hint: 'bring the image by load or import',
    });
  }
  const stream = new JsonStream(exchange);
  const reference = joinTag(query.text('fromImage') ?? '', query.text('tag'));
  const auth = parseRegistryAuth(exchange.header('x-registry-auth'));
  await stream.run(() =>
    pulls.pull(reference, {
      ...optional('platform', query.text('platform')),
      ...optional('auth', auth),
      emit: (message) => stream.emit(message),
      signal,
    }),
  );
}

async function push(exchange: Exchange, { pushes }: Services): Promise<void> {
  const { query, signal } = exchange;
  if (!pushes) throw new BerthError('unsupported', 'this engine cannot reach registries');
  const stream = new JsonStream(exchange);
  const auth = parseRegistryAuth(exchange.header('x-registry-auth'));
  const compression = parseCompression(query.text('berth-compression'));
  const annotations = query.text('berth-annotations');
  await stream.run(() =>
    pushes.push(exchange.param('name'), {
      ...optional('tag', query.text('tag')),
      ...optional('auth', auth),
      ...optional('compression', compression),
      ...optional('annotations', annotations === undefined ? undefined : parseAnnotations(annotations)),
      emit: (message) => stream.emit(message),
      signal,
    }),
  );
}

const LEVELS = { gzip: [0, 9], zstd: [1, 22] } as const;

/** `zstd`, or with a level `zstd:19`. Docker's API has no such parameter. */
function parseCompression(text: string | undefined): { format: 'gzip' | 'zstd'; level?: number } | undefined {
  if (text === undefined) return undefined;
  const [, format, level] = /^(gzip|zstd)(?::(\d{1,2}))?$/.exec(text) ?? [];
  if (format !== 'gzip' && format !== 'zstd') {
    throw new BerthError('invalid', `unknown compression: ${JSON.stringify(text.slice(0, 40))}`, {
      hint: 'layers are pushed as gzip or zstd',
    });
  }
  if (level === undefined) return { format };
  const [least, most] = LEVELS[format];
  if (Number(level) < least || Number(level) > most) {
    throw new BerthError('invalid', `compression level ${level} is not one of ${format}: ${least} to ${most}`);
  }
  return { format, level: Number(level) };
}

/** A JSON object of strings. */
function parseAnnotations(text: string): Readonly<Record<string, string>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isRecord || !Object.values(value as object).every((one) => typeof one === 'string')) {
    throw new BerthError('invalid', 'berth-annotations is not a JSON object of strings');
  }
  return value as Readonly<Record<string, string>>;
}

/** The `tag` parameter may also hold a digest. */
function joinTag(image: string, tag: string | undefined): string {
  if (tag === undefined) return image;
  return `${image}${tag.includes(':') ? '@' : ':'}${tag}`;
}

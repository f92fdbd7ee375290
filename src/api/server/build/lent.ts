import { isAbsolute } from 'node:path';
import { BerthError } from '../../../errors/index.ts';
import type { Exchange } from '../exchange.ts';
import type { BuildInput } from '../ports.ts';

/** Says how many of the body's first bytes are secrets, as a JSON object of base64 texts. They are in no URL and no log. */
const SECRETS_HEADER = 'x-berth-secrets-bytes';
const MAX_SECRETS_BYTES = 4 << 20;

type Lent = Pick<BuildInput, 'secrets' | 'agents' | 'allow'>;

/** What the caller lends to the build's steps, and the body that follows. @throws BerthError `invalid`, `forbidden` */
export async function readLent(
  exchange: Exchange,
): Promise<{ readonly lent: Lent; body(): AsyncIterable<Uint8Array> }> {
  const allow = exchange.query.all('berth-allow');
  const agents = readAgents(exchange);
  const size = exchange.header(SECRETS_HEADER);
  if (size === undefined) return { lent: { agents, allow, secrets: new Map() }, body: () => exchange.body() };
  if (!/^\d{1,8}$/.test(size) || Number(size) > MAX_SECRETS_BYTES) {
    throw new BerthError('invalid', `${SECRETS_HEADER} must be a number up to ${MAX_SECRETS_BYTES}`);
  }
  const { head, rest } = await splitBody(exchange.body(), Number(size));
  return { lent: { agents, allow, secrets: parseSecrets(head) }, body: () => rest };
}

/** Sockets on this machine. Only who can open our socket file shares this machine's files. */
function readAgents({ query, transport }: Exchange): ReadonlyMap<string, string> {
  const value = query.json('berth-ssh') ?? {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw new BerthError('invalid', 'berth-ssh must be a JSON object');
  const agents = Object.entries(value);
  if (agents.length > 0 && transport !== 'unix') {
    throw new BerthError('forbidden', 'berth-ssh is accepted on the local socket only');
  }
  const bad = agents.find(([, path]) => typeof path !== 'string' || !isAbsolute(path));
  if (bad) throw new BerthError('invalid', `berth-ssh: the socket of ${bad[0]} must be an absolute path`);
  return new Map(agents as [string, string][]);
}

async function splitBody(
  body: AsyncIterable<Uint8Array>,
  size: number,
): Promise<{ readonly head: Buffer; readonly rest: AsyncIterable<Uint8Array> }> {
  const chunks = body[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < size) {
    const next = await chunks.next();
    if (next.done) throw new BerthError('invalid', 'the request body ended within the secrets');
    head = Buffer.concat([head, next.value]);
  }
  async function* rest() {
    if (head.length > size) yield head.subarray(size);
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  }
  return { head: head.subarray(0, size), rest: rest() };
}

/** What is wrong is not shown: it may be a secret. */
function parseSecrets(head: Buffer): ReadonlyMap<string, Uint8Array> {
  const invalid = () =>
    new BerthError('invalid', 'the secrets of the build cannot be read: not a JSON object of texts');
  let value: unknown;
  try {
    value = JSON.parse(head.toString('utf8'));
  } catch {
    throw invalid();
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid();
  const entries = Object.entries(value);
  if (!entries.every(([, text]) => typeof text === 'string')) throw invalid();
  return new Map(entries.map(([id, text]) => [id, Buffer.from(text as string, 'base64')]));
}

/** A small text, whole. @throws BerthError `invalid` */
export async function readText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new BerthError('invalid', `the Dockerfile is larger than ${maxBytes >> 20} MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

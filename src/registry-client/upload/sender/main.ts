import { toBerthError } from '../../../errors/index.ts';
import { Transient } from '../../http/failure.ts';
import { createTransport, type Transport } from '../../http/transport.ts';
import { nextLocation } from '../location.ts';
import { noteLocation } from '../upload-memory.ts';
import { filePieces } from './file-pieces.ts';
import { LAST_WORK_MS } from './limits.ts';
import { answerHeaders, type FromSender, type ReachMessage, type SendMessage, type ToSender } from './messages.ts';

/**
 * Entry of the sender: a process that outlives a killed engine just long enough to finish the chunks under way and to
 * note where their uploads go on. Registries that cannot go on within a chunk then lose nothing.
 */
const MAX_ERROR_BYTES = 64 * 1024;
const transports = new Map<string, Transport>();
const underWay = new Map<number, AbortController>();
let isLeft = false;

process.on('message', (message: ToSender) => {
  if (message.kind === 'reach') transports.set(message.origin, transportFor(message));
  else if (message.kind === 'abort') underWay.get(message.id)?.abort();
  else void answer(message);
});

process.once('disconnect', () => {
  isLeft = true;
  leaveWhenDone();
  setTimeout(() => process.exit(1), LAST_WORK_MS);
});

function leaveWhenDone(): void {
  if (isLeft && underWay.size === 0) process.exit(0);
}

function transportFor({ userAgent, tls, proxy, idleTimeoutMs }: ReachMessage): Transport {
  return createTransport({
    userAgent,
    tlsFor: () => tls,
    ...(proxy === undefined ? {} : { proxyFor: () => new URL(proxy) }),
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
  });
}

async function answer(message: SendMessage): Promise<void> {
  const { id } = message;
  const abort = new AbortController();
  underWay.set(id, abort);
  try {
    tell(await send(message, abort.signal));
  } catch (thrown) {
    const { kind, message: text, hint } = thrown instanceof Transient ? thrown.error : toBerthError(thrown);
    tell({ kind: 'failure', id, error: { kind, message: text, hint }, isPassing: thrown instanceof Transient });
  } finally {
    underWay.delete(id);
    leaveWhenDone();
  }
}

async function send({ id, headers, ...chunk }: SendMessage, signal: AbortSignal): Promise<FromSender> {
  const url = new URL(chunk.url);
  const transport = transports.get(url.origin);
  if (transport === undefined) throw new Error(`nobody told how ${url.origin} is reached`);
  const began = performance.now();
  let sentAt = began;
  const body = async function* () {
    yield* filePieces(chunk.path, chunk.offset, chunk.length);
    sentAt = performance.now();
  };
  const response = await transport.send({ method: 'PATCH', url, headers, body: body(), signal });
  const answered = performance.now();
  let text = '';
  if (response.status < 300) {
    response.discard();
    await noteLocation(chunk.notePath, nextLocation(response, url).href);
  } else {
    const bytes = await response.read(MAX_ERROR_BYTES, 'the error').catch(() => Buffer.alloc(0));
    text = bytes.toString('utf8');
  }
  return {
    kind: 'answer',
    id,
    status: response.status,
    headers: Object.fromEntries(
      answerHeaders.flatMap((name) => {
        const value = response.header(name);
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    body: text,
    tookMs: answered - began,
    waitedMs: answered - sentAt,
  };
}

/** Nobody may be left to hear it. */
function tell(message: FromSender): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

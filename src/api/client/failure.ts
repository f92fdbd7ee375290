import { BerthError, isBerthError } from '../../errors/index.ts';
import { type ErrorBody, type JsonMessage, kindOfStatus } from '../contract/index.ts';

const MAX_ERROR_BYTES = 1024 * 1024;

/** The error that an answer of status 400 and more stands for. Reads the body. */
export async function failureOf(status: number, stream: AsyncIterable<unknown>): Promise<BerthError> {
  const text = await readText(stream);
  const body = parseErrorBody(text);
  const message = body?.message || text.trim().slice(0, 1000) || `the engine answered with HTTP status ${status}`;
  return new BerthError(kindOfStatus(status), message, body?.hint === undefined ? {} : { hint: body.hint });
}

/** The error that the last line of a JSON stream stands for. */
export function failureOfLine({ error, errorDetail }: JsonMessage): BerthError | undefined {
  const message = errorDetail?.message || error;
  if (message === undefined) return undefined;
  const hint = errorDetail?.hint;
  return new BerthError(errorDetail?.kind ?? 'internal', message, hint === undefined ? {} : { hint });
}

/** Why an engine could not be asked at all. */
export function connectFailure(cause: unknown, host: string): BerthError {
  if (isBerthError(cause)) return cause;
  const { code, name, message } = cause as NodeJS.ErrnoException;
  if (name === 'AbortError' || code === 'ABORT_ERR') return new BerthError('cancelled', 'cancelled', { cause });
  switch (code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENOTFOUND':
      return new BerthError('unavailable', `cannot connect to the engine at ${host}`, {
        cause,
        hint: 'is it running?',
      });
    case 'EACCES':
      return new BerthError('forbidden', `permission denied at the engine's socket ${host}`, { cause });
    default:
      return new BerthError('unavailable', `lost the connection to the engine at ${host}: ${message}`, { cause });
  }
}

export async function readText(stream: AsyncIterable<unknown>, limit = MAX_ERROR_BYTES): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > limit) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseErrorBody(text: string): ErrorBody | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null && 'message' in body && typeof body.message === 'string'
      ? (body as ErrorBody)
      : undefined;
  } catch {
    return undefined;
  }
}

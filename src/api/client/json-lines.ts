import { StringDecoder } from 'node:string_decoder';
import { BerthError } from '../../errors/index.ts';
import type { JsonMessage } from '../contract/index.ts';
import { failureOfLine } from './failure.ts';

/**
 * Values of a stream of JSON lines, as they come in.
 * @throws BerthError what an `error` line tells, with its kind and hint; `internal` for a line that is not JSON
 */
export async function* jsonLines<T = JsonMessage>(stream: AsyncIterable<Uint8Array>): AsyncGenerator<T> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield readLine<T>(line);
  }
  rest += decoder.end();
  if (rest.trim() !== '') yield readLine<T>(rest);
}

function readLine<T>(line: string): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new BerthError('internal', `the engine sent a line that is not JSON: ${line.slice(0, 200)}`, { cause });
  }
  const failure = typeof value === 'object' && value !== null ? failureOfLine(value) : undefined;
  if (failure) throw failure;
  return value as T;
}

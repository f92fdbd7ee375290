import { type Duplex, duplexPair } from 'node:stream';
import { FrameDecoder } from '../../src/api/contract/index.ts';

/** The client's end of a connection, and everything that came out of it. */
export interface ClientConnection {
  readonly server: Duplex;
  readonly client: Duplex;
  /** Bytes received so far. */
  received(): Buffer;
  /** Resolves when the engine has ended its side. */
  readonly ended: Promise<void>;
}

/** `reading: false` is a client that is alive and takes nothing. */
export function connectClient(options: { readonly reading: boolean } = { reading: true }): ClientConnection {
  const [server, client] = duplexPair();
  const chunks: Buffer[] = [];
  const ended = new Promise<void>((resolve) => client.once('end', resolve));
  client.on('error', () => undefined);
  if (options.reading) client.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { server, client, received: () => Buffer.concat(chunks), ended };
}

/** The text of each stream in multiplexed bytes. */
export function framesOf(bytes: Buffer): { readonly stdout: string; readonly stderr: string } {
  const texts = { stdout: '', stderr: '' };
  for (const { stream, payload } of new FrameDecoder().push(bytes)) {
    if (stream === 'stdout' || stream === 'stderr') texts[stream] += payload.toString();
  }
  return texts;
}

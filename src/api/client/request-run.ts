import type { Socket } from 'node:net';
import { BerthError } from '../../errors/index.ts';
import { connectFailure } from './failure.ts';
import { ResponseBody } from './response-body.ts';
import { type ParsedPart, ResponseParser } from './response-parser.ts';
import { isStream, type WireAnswer, type WireRequest } from './wire.ts';

/** One request on one connection, from its first byte to the last one of the answer. */
export class RequestRun {
  readonly #socket: Socket;
  readonly #request: WireRequest;
  readonly #host: string;
  readonly #keep: (socket: Socket) => void;
  readonly #parser: ResponseParser;
  readonly #answer = Promise.withResolvers<WireAnswer>();
  #body: ResponseBody | undefined;
  #sent = false;
  #over = false;
  #keepAlive = false;

  constructor(socket: Socket, request: WireRequest, host: string, keep: (socket: Socket) => void) {
    this.#socket = socket;
    this.#request = request;
    this.#host = host;
    this.#keep = keep;
    this.#parser = new ResponseParser(request.method);
  }

  /** True when the engine has said anything. */
  answered = false;

  /** Sends the request. Resolves with the head of the answer; the body follows in its stream. */
  async start(head: string): Promise<WireAnswer> {
    const { signal } = this.#request;
    if (signal?.aborted) this.#onAbort();
    signal?.addEventListener('abort', this.#onAbort);
    this.#socket.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onEnd).on('error', this.#fail);
    this.#send(head).catch(this.#fail);
    return await this.#answer.promise;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.answered = true;
    let part: ParsedPart;
    try {
      part = this.#parser.push(chunk);
    } catch (cause) {
      this.#fail(
        new BerthError('unavailable', `cannot read the answer of ${this.#host}: ${(cause as Error).message}`, {
          cause,
        }),
      );
      return;
    }
    if (part.head?.status === 101) {
      this.#release();
      this.#socket.pause();
      // The next reader starts the flow, however it reads.
      Reflect.set(this.#socket, 'readableFlowing', null);
      if (part.rest?.length) this.#socket.unshift(part.rest);
      this.#answer.resolve({ kind: 'upgrade', head: part.head, socket: this.#socket });
      return;
    }
    if (part.head) this.#begin(part.head);
    for (const bytes of part.body) if (this.#body?.push(bytes) === false) this.#socket.pause();
    if (part.rest) this.#finish(part.rest.length === 0 && this.#keepAlive);
  };

  #begin(head: NonNullable<ParsedPart['head']>): void {
    this.#keepAlive = head.keepAlive;
    this.#body = new ResponseBody({
      resume: () => this.#over || this.#socket.resume(),
      abandon: () => this.#over || this.#fail(new BerthError('cancelled', 'cancelled')),
    });
    this.#answer.resolve({ kind: 'response', head, body: this.#body });
  }

  /** An answer that came before the request was sent whole leaves a connection that nobody can use again. */
  #finish(reusable: boolean): void {
    this.#release();
    this.#body?.push(null);
    if (reusable && this.#sent) this.#keep(this.#socket.resume());
    else this.#socket.destroy();
  }

  readonly #onEnd = (): void => {
    if (this.#over) return;
    if (this.#body && this.#parser.end()) this.#finish(false);
    else this.#fail(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }));
  };

  readonly #onAbort = (): void => {
    this.#fail(new BerthError('cancelled', 'cancelled', { cause: this.#request.signal?.reason }));
  };

  readonly #fail = (cause: unknown): void => {
    if (this.#over) return;
    this.#release();
    this.#socket.on('error', () => {}).destroy();
    const error = connectFailure(cause, this.#host);
    this.#answer.reject(error);
    if (this.#body && !this.#body.destroyed) this.#body.destroy(error);
  };

  #release(): void {
    this.#over = true;
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    this.#socket.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onEnd).off('error', this.#fail);
  }

  async #send(head: string): Promise<void> {
    const { body } = this.#request;
    if (isStream(body)) {
      await this.#write(head);
      for await (const chunk of body) {
        if (this.#over) return;
        if (chunk.length === 0) continue;
        this.#socket.write(`${chunk.length.toString(16)}\r\n`);
        this.#socket.write(chunk);
        await this.#write('\r\n');
      }
      if (!this.#over) this.#socket.write('0\r\n\r\n');
    } else if (body === undefined || typeof body === 'string') {
      this.#socket.write(`${head}${body ?? ''}`);
    } else {
      this.#socket.write(head);
      this.#socket.write(body);
    }
    this.#sent = true;
  }

  async #write(text: string): Promise<void> {
    if (this.#over || this.#socket.write(text)) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#socket.off('drain', done).off('close', done);
        resolve();
      };
      this.#socket.on('drain', done).on('close', done);
    });
  }
}

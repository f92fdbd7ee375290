/** What stands before the body of an answer. Header names are in lower case, repeated ones joined. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The connection may carry another request when this answer is over. */
  readonly keepAlive: boolean;
}

export interface ParsedPart {
  /** Set once, when the head is complete. */
  readonly head?: ResponseHead;
  readonly body: readonly Buffer[];
  /** Set at the end of the answer: bytes that belong to whatever comes next. */
  readonly rest?: Buffer;
}

type State = 'head' | 'length' | 'until-close' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailers' | 'done';

const MAX_HEAD_BYTES = 256 * 1024;
const MAX_CHUNK_LINE_BYTES = 4096;

/**
 * Takes one HTTP/1.1 answer apart, however its bytes are cut. It is here because loading `node:http` for one small
 * request would cost more than all the rest of a command.
 * @see RFC 9112
 */
export class ResponseParser {
  readonly #bodyless: boolean;
  #state: State = 'head';
  #pending: Buffer = Buffer.alloc(0);
  /** Bytes of the body or chunk that are still to come. */
  #missing = 0;

  /** @param method of the request: the answer to HEAD has no body, whatever its headers say */
  constructor(method: string) {
    this.#bodyless = method === 'HEAD';
  }

  /** @throws Error when the bytes are not an HTTP answer */
  push(chunk: Buffer): ParsedPart {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const body: Buffer[] = [];
    let head: ResponseHead | undefined;
    while (this.#state !== 'done') {
      if (this.#state === 'head') {
        head = this.#readHead();
        if (head === undefined) break;
      } else if (!this.#readBody(body)) break;
    }
    return {
      body,
      ...(head === undefined ? {} : { head }),
      ...(this.#state === 'done' ? { rest: this.#pending } : {}),
    };
  }

  /** The connection has ended. @returns false when the answer is cut off */
  end(): boolean {
    return this.#state === 'done' || this.#state === 'until-close';
  }

  #readHead(): ResponseHead | undefined {
    for (;;) {
      const end = this.#pending.indexOf('\r\n\r\n');
      if ((end < 0 ? this.#pending.length : end) > MAX_HEAD_BYTES) throw new Error('its headers are too long');
      if (end < 0) return undefined;
      const head = parseHead(this.#pending.toString('latin1', 0, end));
      this.#pending = this.#pending.subarray(end + 4);
      // 100 Continue and its like come before the answer.
      if (head.status >= 200 || head.status === 101) {
        this.#chooseBody(head);
        return head;
      }
    }
  }

  #chooseBody({ status, headers }: ResponseHead): void {
    const length = headers['content-length'];
    if (this.#bodyless || status === 101 || status === 204 || status === 304) {
      this.#state = 'done';
    } else if (/\bchunked$/i.test(headers['transfer-encoding'] ?? '')) {
      this.#state = 'chunk-size';
    } else if (length !== undefined) {
      if (!/^\d{1,15}$/.test(length)) throw new Error('its Content-Length is not a number');
      this.#missing = Number(length);
      this.#state = this.#missing === 0 ? 'done' : 'length';
    } else {
      this.#state = 'until-close';
    }
  }

  /** @returns false when more bytes are needed */
  #readBody(body: Buffer[]): boolean {
    switch (this.#state) {
      case 'until-close':
        this.#take(this.#pending.length, body);
        return false;
      case 'length':
      case 'chunk-data':
        this.#take(Math.min(this.#missing, this.#pending.length), body);
        if (this.#missing > 0) return false;
        this.#state = this.#state === 'length' ? 'done' : 'chunk-end';
        return true;
      case 'chunk-size':
      case 'chunk-end':
      case 'trailers':
        return this.#readLine();
      default:
        return false;
    }
  }

  #take(size: number, body: Buffer[]): void {
    if (size === 0) return;
    body.push(this.#pending.subarray(0, size));
    this.#pending = this.#pending.subarray(size);
    this.#missing -= size;
  }

  #readLine(): boolean {
    const end = this.#pending.indexOf('\r\n');
    if ((end < 0 ? this.#pending.length : end) > MAX_CHUNK_LINE_BYTES) throw new Error('a chunk of it has no end');
    if (end < 0) return false;
    const line = this.#pending.toString('latin1', 0, end);
    this.#pending = this.#pending.subarray(end + 2);
    if (this.#state === 'chunk-size') this.#startChunk(line);
    else if (this.#state === 'trailers') this.#state = line === '' ? 'done' : 'trailers';
    else if (line === '') this.#state = 'chunk-size';
    else throw new Error('a chunk of it is longer than it says');
    return true;
  }

  #startChunk(line: string): void {
    const [, digits] = /^([0-9a-f]{1,12})\s*(?:;.*)?$/i.exec(line) ?? [];
    if (digits === undefined) throw new Error('the size of a chunk is not a number');
    this.#missing = Number.parseInt(digits, 16);
    this.#state = this.#missing === 0 ? 'trailers' : 'chunk-data';
  }
}

function parseHead(text: string): ResponseHead {
  const [first = '', ...lines] = text.split('\r\n');
  const [, version, status] = /^HTTP\/1\.([01]) (\d{3})(?: .*)?$/.exec(first) ?? [];
  if (status === undefined) throw new Error('it is not HTTP');
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new Error('one of its headers has no name');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  const connection = headers['connection'] ?? '';
  return { status: Number(status), headers, keepAlive: version === '1' ? !/\bclose\b/i.test(connection) : false };
}

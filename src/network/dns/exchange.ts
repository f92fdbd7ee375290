import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { decodeMessage } from './decode.ts';
import { encodeMessage } from './encode.ts';
import { FrameReader, frame } from './frames.ts';
import type { Message } from './message.ts';
import { sameName } from './name.ts';
import type { Server } from './upstream.ts';

/** A question on its way to a server. */
export interface Exchange {
  /** Undefined: no answer, in time or at all. */
  readonly answer: Promise<Message | undefined>;
  /** Ends it without an answer. Idempotent. */
  cancel(): void;
}

/**
 * Asks a server once over UDP. The port is new and random for each question, as is its id, and the kernel passes only
 * what comes from that server: an answer cannot be forged by who does not see the question.
 */
export function askUdp(server: Server, query: Message, timeoutMs: number): Exchange {
  const asked = { ...query, id: randomInt(0x10000) };
  return exchange(timeoutMs, (settle) => {
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
    socket.on('message', (bytes) => {
      const message = decodeMessage(bytes);
      if (message && isAnswer(message, asked)) settle(message);
    });
    socket.on('error', () => settle(undefined));
    socket.connect(server.port, server.address, () => socket.send(encodeMessage(asked)));
    return () => socket.close();
  });
}

/** Asks a server once over TCP. */
export function askTcp(server: Server, query: Message, timeoutMs: number): Exchange {
  const asked = { ...query, id: randomInt(0x10000) };
  return exchange(timeoutMs, (settle) => {
    const reader = new FrameReader();
    const socket = connect({ host: server.address, port: server.port, noDelay: true });
    socket.on('connect', () => socket.write(frame(encodeMessage(asked))));
    socket.on('data', (chunk) => {
      const message = reader.push(chunk).map(decodeMessage)[0];
      if (message) settle(isAnswer(message, asked) ? message : undefined);
    });
    socket.on('error', () => settle(undefined));
    socket.on('close', () => settle(undefined));
    return () => socket.destroy();
  });
}

function exchange(timeoutMs: number, open: (settle: (answer: Message | undefined) => void) => () => unknown): Exchange {
  const { promise, resolve } = Promise.withResolvers<Message | undefined>();
  let close: (() => unknown) | undefined;
  let done = false;
  const settle = (answer: Message | undefined) => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    close?.();
    resolve(answer);
  };
  const timer = setTimeout(() => settle(undefined), timeoutMs);
  try {
    close = open(settle);
  } catch {
    // No descriptor is left: as if the server were silent.
    settle(undefined);
  }
  return { answer: promise, cancel: () => settle(undefined) };
}

/** Whether a message answers just this question. Servers that refuse may leave the question out. */
function isAnswer(message: Message, asked: Message): boolean {
  const [question, wanted] = [message.questions[0], asked.questions[0]];
  if (!message.response || message.id !== asked.id || message.opcode !== asked.opcode || !wanted) return false;
  if (!question) return message.rcode !== 0;
  const isSame = question.type === wanted.type && question.class === wanted.class;
  return message.questions.length === 1 && isSame && sameName(question.name, wanted.name);
}

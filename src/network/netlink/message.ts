import { aligned, parseAttributes, textOf } from './attributes.ts';

/** Netlink messages: requests out, replies in. Pure. @see linux/include/uapi/linux/netlink.h, `struct nlmsghdr` */
export interface Request {
  readonly type: number;
  readonly flags: number;
  /** The family's header and attributes. */
  readonly payload: Buffer;
}

export interface Reply {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Buffer;
}

export const messageFlags = {
  REQUEST: 1,
  MULTI: 2,
  ACK: 4,
  EXCL: 0x200,
  CREATE: 0x400,
  REPLACE: 0x100,
  DUMP: 0x300,
} as const;

const HEADER_BYTES = 16;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;

export function encodeMessage({ type, flags, payload }: Request, sequence: number): Buffer {
  const encoded = Buffer.alloc(aligned(HEADER_BYTES + payload.length));
  encoded.writeUInt32LE(HEADER_BYTES + payload.length, 0);
  encoded.writeUInt16LE(type, 4);
  encoded.writeUInt16LE(flags | messageFlags.REQUEST, 6);
  encoded.writeUInt32LE(sequence, 8);
  payload.copy(encoded, HEADER_BYTES);
  return encoded;
}

export function decodeMessages(encoded: Buffer): readonly Reply[] {
  const replies: Reply[] = [];
  for (let at = 0; at + HEADER_BYTES <= encoded.length; ) {
    const length = encoded.readUInt32LE(at);
    if (length < HEADER_BYTES || at + length > encoded.length) break;
    replies.push({
      type: encoded.readUInt16LE(at + 4),
      flags: encoded.readUInt16LE(at + 6),
      sequence: encoded.readUInt32LE(at + 8),
      payload: encoded.subarray(at + HEADER_BYTES, at + length),
    });
    at += aligned(length);
  }
  return replies;
}

/** How a request ended: errno 0 is success; `detail` is the kernel's own explanation, often empty. */
export interface Outcome {
  readonly errno: number;
  readonly detail: string;
}

/** What a reply says about the end of its request; undefined for data. */
export function outcomeOf(reply: Reply): Outcome | undefined {
  if (reply.type !== NLMSG_ERROR && reply.type !== NLMSG_DONE) return undefined;
  const errno = reply.payload.length >= 4 ? Math.abs(reply.payload.readInt32LE(0)) : 0;
  return { errno, detail: reply.type === NLMSG_ERROR && reply.flags & NLM_F_ACK_TLVS ? explanation(reply) : '' };
}

function explanation({ payload, flags }: Reply): string {
  // The request's header follows the number; its payload, too, unless the kernel was asked to leave that out.
  const echoed = flags & NLM_F_CAPPED || payload.length < 8 ? HEADER_BYTES : aligned(payload.readUInt32LE(4));
  return textOf(parseAttributes(payload.subarray(4 + echoed)).get(NLMSGERR_ATTR_MSG));
}

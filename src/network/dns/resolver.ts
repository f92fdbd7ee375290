import { answerByNames, type Names } from './container-names.ts';
import { decodeHeader, decodeMessage } from './decode.ts';
import { encodeMessage, MAX_MESSAGE_BYTES } from './encode.ts';
import { Forwarder } from './forwarder.ts';
import { type Message, OPCODE_QUERY, type Question, rcodes, replyTo, types } from './message.ts';
import { planUpstream, type Upstream, type UpstreamPlan } from './upstream.ts';

export interface ResolverOptions {
  readonly names: Names;
  /**
   * Where other names are asked for, read anew for each question. Undefined for a container that has no way out (all
   * of its networks are internal): nothing that it asks may leave the machine. @see CVE-2024-29018
   */
  readonly upstream: () => Upstream | undefined;
}

export type Transport = 'udp' | 'tcp';

/** Every sender must take as much, and more only when it says so. */
const MIN_UDP_BYTES = 512;
const MAX_UDP_BYTES = 65507;
const OWN_UDP_BYTES = 4096;
/** A query may have EDNS and a signature beside its question. */
const MAX_ADDITIONALS = 2;

/** Answers the questions of one container: bytes to bytes, whatever carries them. */
export class Resolver {
  readonly #names: Names;
  readonly #upstream: () => Upstream | undefined;
  readonly #forwarder = new Forwarder();
  #plan: { readonly of: Upstream; readonly plan: UpstreamPlan } | undefined;
  #turn = 0;

  constructor({ names, upstream }: ResolverOptions) {
    this.#names = names;
    this.#upstream = upstream;
  }

  /** Undefined for what is no question at all: it is not answered. Known names are answered at once. Never rejects. */
  answer(bytes: Buffer, transport: Transport): Buffer | undefined | Promise<Buffer> {
    const header = decodeHeader(bytes);
    if (!header || header.response) return undefined;
    const { counts } = header;
    if (header.opcode !== OPCODE_QUERY) return encodeMessage(replyTo(header, rcodes.notImplemented));
    // Looked at before the rest is: a message of thousands of records is not worth reading.
    const isPlain = counts.questions === 1 && counts.answers + counts.authorities === 0;
    const query = isPlain && counts.additionals <= MAX_ADDITIONALS ? decodeMessage(bytes) : undefined;
    const question = query?.questions[0];
    if (!query || !question) return encodeMessage(replyTo(header, rcodes.formatError));
    const reply = this.#reply(query, question, transport);
    return reply instanceof Promise
      ? reply.then((message) => fitted(message, query, transport))
      : fitted(reply, query, transport);
  }

  /** Ends what waits for other servers. Idempotent. */
  close(): void {
    this.#forwarder.close();
  }

  #reply(query: Message, question: Question, transport: Transport): Message | Promise<Message> {
    if (query.edns && query.edns.version > 0) return replyTo(query, rcodes.badVersion);
    const own = answerByNames(query, question, this.#names, this.#turn++);
    if (own) return own;
    const plan = this.#planned();
    // Docker, too, says SERVFAIL when it may not ask, not that the name does not exist.
    if (!plan) return replyTo(query, rcodes.serverFailure);
    const isAddress = question.type === types.A || question.type === types.AAAA;
    if (isAddress && plan.holdsBareNames && !question.name.includes('.')) return replyTo(query, rcodes.noError);
    return this.#forwarder.ask(query, plan, transport);
  }

  #planned(): UpstreamPlan | undefined {
    const upstream = this.#upstream();
    if (!upstream) return undefined;
    if (this.#plan?.of !== upstream) this.#plan = { of: upstream, plan: planUpstream(upstream) };
    return this.#plan.plan;
  }
}

/** A reply as this client can take it: its own id and spelling of the name, EDNS only if it knows that, and no more than fits. */
function fitted({ edns: _, ...reply }: Message, query: Message, transport: Transport): Buffer {
  const own = {
    ...reply,
    id: query.id,
    response: true,
    authoritative: false,
    recursionDesired: query.recursionDesired,
    recursionAvailable: true,
    checkingDisabled: query.checkingDisabled,
    questions: query.questions,
  };
  const limit =
    transport === 'tcp'
      ? MAX_MESSAGE_BYTES
      : Math.min(Math.max(query.edns?.udpSize ?? 0, MIN_UDP_BYTES), MAX_UDP_BYTES);
  if (!query.edns) return encodeMessage(own, limit);
  const { dnssecOk } = query.edns;
  return encodeMessage(
    { ...own, edns: { udpSize: OWN_UDP_BYTES, version: 0, dnssecOk, options: Buffer.alloc(0) } },
    limit,
  );
}

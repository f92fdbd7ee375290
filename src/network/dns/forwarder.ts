import { AnswerCache } from './answer-cache.ts';
import { askTcp, askUdp, type Exchange } from './exchange.ts';
import { type Message, rcodes, replyTo } from './message.ts';
import type { Server, UpstreamPlan } from './upstream.ts';

/** Questions of one container that wait for other servers at once. Each has a socket. */
const MAX_FORWARDS = 128;
/** What we tell servers to fit into a datagram: no fragments on any path. @see DNS flag day 2020 */
const UDP_BYTES = 1232;
/** Answers of a server that does not want to, or cannot; another one may. */
const unwilling: readonly number[] = [rcodes.serverFailure, rcodes.refused, rcodes.notImplemented];

/** Asks other servers for one container: each question once at a time, and again only when the answer is too old. */
export class Forwarder {
  readonly #cache = new AnswerCache();
  readonly #asking = new Map<string, Promise<Message>>();
  readonly #exchanges = new Set<Exchange>();
  #turn = 0;
  #closed = false;

  /**
   * The answer to a query with one question, from the cache or the servers, whole. Never rejects: when no server answers
   * it is SERVFAIL, when too many questions are waiting REFUSED.
   */
  ask(query: Message, plan: UpstreamPlan, transport: 'udp' | 'tcp'): Message | Promise<Message> {
    const key = keyOf(query, plan);
    const known = this.#cache.get(key, performance.now());
    if (known) return known;
    const flight = `${transport} ${key}`;
    const asking = this.#asking.get(flight);
    if (asking) return asking;
    if (this.#closed || plan.servers.length === 0) return replyTo(query, rcodes.serverFailure);
    if (this.#asking.size >= MAX_FORWARDS) return replyTo(query, rcodes.refused);
    const answer = this.#askAll(query, plan, transport).then((message) => {
      this.#asking.delete(flight);
      this.#cache.put(key, message, performance.now());
      return message;
    });
    this.#asking.set(flight, answer);
    return answer;
  }

  /** Ends what is under way. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const exchange of this.#exchanges) exchange.cancel();
  }

  async #askAll(query: Message, plan: UpstreamPlan, transport: 'udp' | 'tcp'): Promise<Message> {
    const asked = upstreamQuery(query);
    const first = plan.rotate ? this.#turn++ % plan.servers.length : 0;
    const servers = [...plan.servers.slice(first), ...plan.servers.slice(0, first)];
    for (let attempt = 0; attempt < plan.attempts; attempt += 1) {
      for (const server of servers) {
        if (this.#closed) break;
        const answer = await this.#askOne(server, asked, plan.timeoutMs, transport);
        if (answer && !unwilling.includes(answer.rcode)) return answer;
      }
    }
    return replyTo(query, rcodes.serverFailure);
  }

  async #askOne(
    server: Server,
    query: Message,
    timeoutMs: number,
    transport: 'udp' | 'tcp',
  ): Promise<Message | undefined> {
    if (transport === 'tcp') return await this.#finish(askTcp(server, query, timeoutMs));
    const answer = await this.#finish(askUdp(server, query, timeoutMs));
    if (!answer?.truncated) return answer;
    // A part is better than nothing when the server has no TCP.
    return (await this.#finish(askTcp(server, query, timeoutMs))) ?? answer;
  }

  async #finish(exchange: Exchange): Promise<Message | undefined> {
    this.#exchanges.add(exchange);
    try {
      return await exchange.answer;
    } finally {
      this.#exchanges.delete(exchange);
    }
  }
}

/** What makes two questions one. */
function keyOf(
  { questions: [question], recursionDesired, checkingDisabled, edns }: Message,
  plan: UpstreamPlan,
): string {
  const name = question?.name.toLowerCase();
  const flags = [recursionDesired, checkingDisabled, edns !== undefined, edns?.dnssecOk].map(Number).join('');
  const servers = plan.servers.map(({ address, port }) => `${address}#${port}`).join();
  return [name, question?.type, question?.class, flags, servers].join(' ');
}

/** The question as our own: options of the client's EDNS are between it and us. @see RFC 6891, 6.2.6 */
function upstreamQuery({ edns, ...query }: Message): Message {
  const asked = { ...query, answers: [], authorities: [], additionals: [] };
  if (!edns) return asked;
  return {
    ...asked,
    edns: { udpSize: UDP_BYTES, version: 0, dnssecOk: edns.dnssecOk, options: Buffer.alloc(0) },
  };
}

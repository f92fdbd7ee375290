import { call, callInThread, systemError } from '../../linux/index.ts';
import { decodeMessages, encodeMessage, type Outcome, outcomeOf, type Reply, type Request } from './message.ts';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const RECEIVE_BYTES = 256 * 1024;

let received: Buffer | undefined;

/** A request of the kernel's network side that failed: `code` as in `node:fs`, and the kernel's own explanation. */
export type NetlinkFailure = NodeJS.ErrnoException;

/**
 * A conversation with the kernel about the network namespace in which it was opened, whatever the thread does later.
 * The kernel does what is asked before `send` returns, so replies never have to be waited for.
 */
export class NetlinkSocket {
  readonly #fd: number;
  #sequence = 0;
  #closed = false;

  /** @throws when the process may not, or has no descriptor left */
  constructor(protocol = 0) {
    this.#fd = call('int socket(int, int, int)', AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    const on = Buffer.from([1, 0, 0, 0]);
    for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK]) {
      call('int setsockopt(int, int, int, const void*, uint32_t)', this.#fd, SOL_NETLINK, option, on, on.length);
    }
  }

  /** Does all requests in one call, in order; a failed one does not keep the later ones from being done. */
  run(...requests: readonly Request[]): readonly Outcome[] {
    const { encoded, first } = this.#encode(requests);
    call('long send(int, const void*, size_t, int)', this.#fd, encoded, encoded.length, 0);
    return this.#outcomes(first, requests.length);
  }

  /** As `run`, and @throws NetlinkFailure for the first that failed, but for codes that are `fine`. */
  demand(what: string, requests: readonly Request[], fine: readonly string[] = []): void {
    throwFailure(what, this.run(...requests), fine);
  }

  /**
   * As `demand`, for requests that the kernel takes only between two others, and does all or none of. Each must ask for
   * its acknowledgement.
   */
  demandBatch(
    what: string,
    around: { readonly begin: Request; readonly end: Request },
    inner: readonly Request[],
  ): void {
    const opening = encodeMessage(around.begin, 0);
    const { encoded, first } = this.#encode(inner);
    const whole = Buffer.concat([opening, encoded, encodeMessage(around.end, 0)]);
    call('long send(int, const void*, size_t, int)', this.#fd, whole, whole.length, 0);
    throwFailure(what, this.#outcomes(first, inner.length), []);
  }

  /**
   * As `demand`, in a thread of the pool: for what waits until no processor uses an interface any more. Meanwhile the
   * socket must not be used for anything else.
   */
  async demandInThread(what: string, requests: readonly Request[], fine: readonly string[] = []): Promise<void> {
    const { encoded, first } = this.#encode(requests);
    await callInThread('long send(int, const void*, size_t, int)', this.#fd, encoded, encoded.length, 0);
    throwFailure(what, this.#outcomes(first, requests.length), fine);
  }

  /** Everything that the kernel lists. @throws NetlinkFailure */
  dump(what: string, request: Request): readonly Reply[] {
    const { encoded, first } = this.#encode([request]);
    call('long send(int, const void*, size_t, int)', this.#fd, encoded, encoded.length, 0);
    const replies: Reply[] = [];
    throwFailure(what, this.#outcomes(first, 1, replies), []);
    return replies;
  }

  /** As `dump`, for something that need not exist: then nothing is returned. */
  find(request: Request): readonly Reply[] {
    const { encoded, first } = this.#encode([request]);
    call('long send(int, const void*, size_t, int)', this.#fd, encoded, encoded.length, 0);
    const replies: Reply[] = [];
    this.#outcomes(first, 1, replies);
    return replies;
  }

  /** Idempotent. */
  close(): void {
    if (!this.#closed) call('int close(int)', this.#fd);
    this.#closed = true;
  }

  #encode(requests: readonly Request[]): { readonly encoded: Buffer; readonly first: number } {
    const first = this.#sequence + 1;
    this.#sequence += requests.length;
    return { encoded: Buffer.concat(requests.map((request, at) => encodeMessage(request, first + at))), first };
  }

  #outcomes(first: number, count: number, data?: Reply[]): readonly Outcome[] {
    received ??= Buffer.alloc(RECEIVE_BYTES);
    const outcomes = new Map<number, Outcome>();
    while (outcomes.size < count) {
      const length = call('long recv(int, void*, size_t, int)', this.#fd, received, received.length, 0);
      for (const reply of decodeMessages(received.subarray(0, length))) {
        const outcome = outcomeOf(reply);
        // A batch that failed as a whole has no outcomes of its parts: to wait for them would be to wait forever.
        if (reply.sequence === 0 && outcome && outcome.errno !== 0) return [outcome];
        if (reply.sequence < first || reply.sequence >= first + count) continue;
        if (outcome) outcomes.set(reply.sequence, outcome);
        else data?.push({ ...reply, payload: Buffer.from(reply.payload) });
      }
    }
    return [...outcomes].sort(([a], [b]) => a - b).map(([, outcome]) => outcome);
  }
}

function throwFailure(what: string, outcomes: readonly Outcome[], fine: readonly string[]): void {
  for (const { errno, detail } of outcomes) {
    if (errno === 0) continue;
    const failure = systemError(errno, what, detail) as NetlinkFailure;
    if (!fine.includes(failure.code ?? '')) throw failure;
  }
}

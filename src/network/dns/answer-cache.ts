import { type Message, type ResourceRecord, rcodes, types } from './message.ts';

/** Bounds of what one container's resolver remembers. */
const MAX_ENTRIES = 1024;
const MAX_BYTES = 1024 * 1024;
const MAX_TTL_S = 3600;
/** RFC 2308 allows hours; a name that comes to be should not stay unknown so long. */
const MAX_NEGATIVE_TTL_S = 300;
/** What a record costs beside its data. */
const RECORD_COST = 128;

interface Entry {
  readonly message: Message;
  readonly storedAtMs: number;
  readonly ttlS: number;
  readonly bytes: number;
}

/** Answers of other servers, for as long as they said, the least recently used of which go first. */
export class AnswerCache {
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  /** The answer with what is left of its times. */
  get(key: string, nowMs: number): Message | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    const ageS = Math.floor((nowMs - entry.storedAtMs) / 1000);
    if (ageS >= entry.ttlS) {
      this.#bytes -= entry.bytes;
      return undefined;
    }
    this.#entries.set(key, entry);
    return aged(entry.message, ageS);
  }

  /** Remembers an answer that may be remembered. */
  put(key: string, message: Message, nowMs: number): void {
    const ttlS = lifetime(message);
    const bytes = costOf(message) + key.length;
    if (ttlS === 0 || bytes > MAX_BYTES) return;
    this.#drop(key);
    this.#entries.set(key, { message, storedAtMs: nowMs, ttlS, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MAX_ENTRIES && this.#bytes <= MAX_BYTES) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}

/** Seconds for which an answer is good; 0 when it must not be kept, as failures. @see RFC 2308, 5 */
export function lifetime(message: Message): number {
  const { rcode, answers, authorities, truncated } = message;
  if (truncated || (rcode !== rcodes.noError && rcode !== rcodes.nameError)) return 0;
  const least = Math.min(...answers.map(({ ttl }) => ttl), MAX_TTL_S);
  const wanted = message.questions[0]?.type;
  const isPositive = answers.some(({ type }) => type === wanted || wanted === types.ANY);
  if (rcode === rcodes.noError && isPositive) return least;
  const soa = authorities.find(({ type }) => type === types.SOA);
  return soa ? Math.min(soa.ttl, minimumOf(soa), least, MAX_NEGATIVE_TTL_S) : 0;
}

/** The last field of an SOA record says how long it is known that there is no such name. */
function minimumOf({ data }: ResourceRecord): number {
  return data.length >= 4 ? data.readUInt32BE(data.length - 4) : 0;
}

function aged(message: Message, ageS: number): Message {
  if (ageS === 0) return message;
  const older = (records: readonly ResourceRecord[]) =>
    records.map((record) => ({ ...record, ttl: Math.max(0, record.ttl - ageS) }));
  return {
    ...message,
    answers: older(message.answers),
    authorities: older(message.authorities),
    additionals: older(message.additionals),
  };
}

function costOf({ answers, authorities, additionals }: Message): number {
  return [answers, authorities, additionals]
    .flat()
    .reduce((sum, { name, data }) => sum + name.length + data.length + RECORD_COST, RECORD_COST);
}

/** One line of a container's log, with its newline when it had one. */
export interface LogEntry {
  /** RFC 3339 in UTC, with nanoseconds. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  readonly line: Buffer;
}

/** One record of a k8s-file log: `TIME STREAM TAG CONTENT`, where tag P says that the line goes on in a later record. */
export interface LogRecord {
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  readonly partial: boolean;
  readonly content: Buffer;
}

const SPACE = 0x20;
const newline = Buffer.from('\n');

/** Parses a record without its newline; undefined for what is none (a write that a crash cut off). */
export function parseRecord(record: Buffer): LogRecord | undefined {
  const first = record.indexOf(SPACE);
  const second = record.indexOf(SPACE, first + 1);
  const third = record.indexOf(SPACE, second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  const stream = record.toString('latin1', first + 1, second);
  const tag = record.toString('latin1', second + 1, third);
  if ((stream !== 'stdout' && stream !== 'stderr') || !/^[FP]/.test(tag)) return undefined;
  const time = utcTime(record.toString('latin1', 0, first));
  return time === undefined
    ? undefined
    : { time, stream, partial: tag.startsWith('P'), content: record.subarray(third + 1) };
}

/** True when this record ends a line. */
export function endsLine(record: Buffer): boolean {
  return parseRecord(record)?.partial === false;
}

/** `2026-11-24T22:00:00.123456789+01:00` -> `2026-11-24T21:00:00.123456789Z`. */
function utcTime(text: string): string | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return undefined;
  const [, seconds, fraction = '', zone] = match;
  const utc = zone === 'Z' || zone === '+00:00' ? seconds : new Date(`${seconds}${zone}`).toISOString().slice(0, 19);
  return `${utc}.${fraction.padEnd(9, '0')}Z`;
}

interface OpenLine {
  readonly time: string;
  readonly parts: Buffer[];
  bytes: number;
}

/** A line without an end is passed on in pieces of this size, so that it cannot fill the memory. */
const longestLineBytes = 1024 * 1024;

/** Joins records to lines, each stream by itself. A line has the time of its first record. */
export class LineAssembler {
  readonly #open = new Map<LogRecord['stream'], OpenLine>();

  push(record: LogRecord): LogEntry | undefined {
    const line = this.#open.get(record.stream) ?? { time: record.time, parts: [], bytes: 0 };
    line.parts.push(record.content);
    line.bytes += record.content.length;
    if (record.partial && line.bytes < longestLineBytes) {
      this.#open.set(record.stream, line);
      return undefined;
    }
    this.#open.delete(record.stream);
    return {
      time: line.time,
      stream: record.stream,
      line: Buffer.concat(record.partial ? line.parts : [...line.parts, newline]),
    };
  }

  /** What a process wrote last, without a newline. */
  flush(): readonly LogEntry[] {
    const rest = [...this.#open].map(([stream, line]) => ({
      time: line.time,
      stream,
      line: Buffer.concat(line.parts),
    }));
    this.#open.clear();
    return rest;
  }
}

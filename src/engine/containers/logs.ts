import { BerthError } from '../../errors/index.ts';
import { parseRfc3339 } from '../../units/index.ts';
import type { LogsQuery } from '../api.ts';
import type { LogEntry, LogOptions } from '../ports.ts';
import type { Container, ContainersContext } from './container.ts';
import type { OutputPosition, OutputStream } from './output-hub.ts';

/** Timers of more than this would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** @throws BerthError `invalid` when neither stream is asked for */
export function readLogs(context: ContainersContext, container: Container, query: LogsQuery): AsyncIterable<LogEntry> {
  if (!query.stdout && !query.stderr) {
    throw new BerthError('invalid', 'Bad parameters: you must choose at least one stream');
  }
  const { since, until, tail, signal } = query;
  return selected(
    logOf(context, container, {
      follow: query.follow && container.isActive,
      tail,
      signal,
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until, untilMs: until - context.ports.clock.now() }),
    }),
    query,
  );
}

/** The whole log so far, or with `follow` to the end of this life of the container. */
export function replayLog(
  context: ContainersContext,
  container: Container,
  options: { readonly follow: boolean; readonly signal?: AbortSignal },
): AsyncIterable<LogEntry> {
  return logOf(context, container, { ...options, tail: 'all' });
}

/** What the running process wrote after a position, to its end. */
export async function* logAfter(
  context: ContainersContext,
  container: Container,
  options: { readonly from: OutputPosition; readonly signal: AbortSignal },
): AsyncGenerator<LogEntry> {
  const since = parseRfc3339(container.record.state.startedAt);
  const skip: Record<OutputStream, number> = { ...options.from };
  const { signal } = options;
  const entries = logOf(context, container, {
    follow: true,
    tail: 'all',
    signal,
    ...(since === undefined ? {} : { since }),
  });
  for await (const entry of entries) {
    const skipped = Math.min(skip[entry.stream], entry.line.length);
    skip[entry.stream] -= skipped;
    if (skipped < entry.line.length) yield { ...entry, line: entry.line.subarray(skipped) };
  }
}

interface ReadOptions extends LogOptions {
  /** Milliseconds from now to `until`. */
  readonly untilMs?: number;
}

/** Registers as a reader from the call on: a removal waits a moment for it. */
function logOf(
  { ports }: ContainersContext,
  container: Container,
  { untilMs, ...options }: ReadOptions,
): AsyncIterable<LogEntry> {
  const done = Promise.withResolvers<void>();
  const end = deadline(untilMs);
  const { hub } = container;
  const entries = ports.runtime.readLog(container.record.logPath, {
    ...options,
    ...(options.follow ? { ended: Promise.race([hub.finished, end.passed]) } : {}),
  });
  const reader = done.promise;
  return (async function* () {
    container.logReaders.add(reader);
    try {
      yield* entries;
    } finally {
      end.cancel();
      container.logReaders.delete(reader);
      done.resolve();
    }
  })();
}

/** A silent container says nothing that would tell its followers that their `until` has passed. */
function deadline(ms: number | undefined): { readonly passed: Promise<void>; cancel(): void } {
  const passed = Promise.withResolvers<void>();
  const timer = ms !== undefined && ms <= LONGEST_TIMER_MS ? setTimeout(passed.resolve, Math.max(0, ms)) : undefined;
  return { passed: passed.promise, cancel: () => clearTimeout(timer) };
}

async function* selected(
  entries: AsyncIterable<LogEntry>,
  { stdout, stderr }: Pick<LogsQuery, OutputStream>,
): AsyncGenerator<LogEntry> {
  for await (const entry of entries) {
    if (entry.stream === 'stdout' ? stdout : stderr) yield entry;
  }
}

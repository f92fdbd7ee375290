import { BerthError } from '../../errors/index.ts';
import { parseRfc3339 } from '../../units/index.ts';
import type { LogsQuery } from '../api.ts';
import type { LogEntry, LogOptions } from '../ports.ts';
import type { Container, ContainersContext } from './container.ts';
import type { OutputHub, OutputPosition, OutputStream } from './output-hub.ts';

/** @throws BerthError `invalid` when neither stream is asked for */
export function readLogs(context: ContainersContext, container: Container, query: LogsQuery): AsyncIterable<LogEntry> {
  if (!query.stdout && !query.stderr) {
    throw new BerthError('invalid', 'Bad parameters: you must choose at least one stream');
  }
  const { since, until, tail, signal } = query;
  return selected(
    logOf(context, container, {
      ...following(container, query.follow && container.isActive),
      tail,
      signal,
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
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
  const { signal } = options;
  return logOf(context, container, {
    ...following(container, options.follow),
    tail: 'all',
    ...(signal ? { signal } : {}),
  });
}

function following({ hub }: Container, follow: boolean): Pick<LogOptions, 'follow' | 'ended'> {
  return follow ? { follow, ended: hub.finished } : { follow };
}

export interface LogPlace {
  readonly from: OutputPosition;
  /** Of the run that is read. */
  readonly hub: OutputHub;
  readonly signal: AbortSignal;
}

/**
 * What the running process wrote after a position, to its end. The log is opened by the call: it may be gone from its
 * folder when a slow client gets to read it.
 */
export function logAfter(context: ContainersContext, container: Container, place: LogPlace): AsyncIterable<LogEntry> {
  const since = parseRfc3339(container.record.state.startedAt);
  const entries = logOf(context, container, {
    follow: true,
    tail: 'all',
    signal: place.signal,
    ended: place.hub.finished,
    ...(since === undefined ? {} : { since }),
  });
  const first = entries.next();
  first.catch(() => undefined);
  return skipping(first, entries, { ...place.from });
}

async function* skipping(
  first: Promise<IteratorResult<LogEntry>>,
  rest: AsyncGenerator<LogEntry>,
  skip: Record<OutputStream, number>,
): AsyncGenerator<LogEntry> {
  try {
    for (let next = await first; !next.done; next = await rest.next()) {
      const entry = next.value;
      const skipped = Math.min(skip[entry.stream], entry.line.length);
      skip[entry.stream] -= skipped;
      if (skipped < entry.line.length) yield { ...entry, line: entry.line.subarray(skipped) };
    }
  } finally {
    await rest.return(undefined);
  }
}

/** While it is read, a removal waits a moment for it. */
async function* logOf(
  { ports }: ContainersContext,
  container: Container,
  options: LogOptions,
): AsyncGenerator<LogEntry> {
  const done = Promise.withResolvers<void>();
  container.logReaders.add(done.promise);
  try {
    yield* ports.runtime.readLog(container.record.logPath, options);
  } finally {
    container.logReaders.delete(done.promise);
    done.resolve();
  }
}

async function* selected(
  entries: AsyncIterable<LogEntry>,
  { stdout, stderr }: Pick<LogsQuery, OutputStream>,
): AsyncGenerator<LogEntry> {
  for await (const entry of entries) {
    if (entry.stream === 'stdout' ? stdout : stderr) yield entry;
  }
}

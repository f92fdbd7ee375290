import { setTimeout as sleep } from 'node:timers/promises';
import { jsonLines } from '../../api/client/index.ts';
import type { ContainerSummary, StatsBody } from '../../api/contract/index.ts';
import { formatList } from '../../format/index.ts';
import type { Engine } from '../connection/engine.ts';
import type { Command, CommandContext } from '../context.ts';
import type { OutputStream } from '../environment.ts';
import { type StatsEntry, statsFormat, statsRow } from '../lists/stats-rows.ts';
import { containerPath } from '../paths.ts';

const INTERVAL_MS = 1000;

export const run: Command = async (context) => {
  const { flags, args, engine, environment } = context;
  const format = statsFormat(flags.string('format') ?? 'table');
  const trunc = !flags.bool('no-trunc');
  const print = (entries: readonly StatsEntry[]) =>
    formatList(
      format,
      entries.map((entry) => statsRow(entry, trunc)),
    );
  if (flags.bool('no-stream')) {
    const refs = args.length > 0 ? args : await listed(context);
    environment.stdout.write(await print(await Promise.all(refs.map((ref) => once(engine, ref, args.length > 0)))));
    return 0;
  }
  await watch(context, print);
  return 0;
};

/** One figure of each. @throws BerthError `not-found` for one that the user named; others may have gone meanwhile */
async function once(engine: Engine, ref: string, isNamed: boolean): Promise<StatsEntry> {
  try {
    const stats = await engine.json<StatsBody>('GET', containerPath(ref, 'stats'), { query: { stream: 0 } });
    return { ref, stats, ended: false };
  } catch (error) {
    if (isNamed) throw error;
    return { ref, ended: true };
  }
}

/** Prints until every container that was named has ended; without names, until it is interrupted. */
async function watch(
  context: CommandContext,
  print: (entries: readonly StatsEntry[]) => Promise<string>,
): Promise<void> {
  const { args, engine, environment } = context;
  const followed = new Map<string, Followed>();
  const followAll = async (refs: readonly string[]) => {
    const fresh = refs.filter((ref) => !followed.has(ref)).map((ref) => [ref, new Followed(engine, ref)] as const);
    for (const [ref, follower] of fresh) followed.set(ref, follower);
    await Promise.all(fresh.map(([, { begun }]) => begun));
  };
  await followAll(args);
  const paint = painter(environment.stdout);
  for (;;) {
    if (args.length === 0) {
      const refs = await listed(context);
      for (const ref of followed.keys()) if (!refs.includes(ref)) followed.delete(ref);
      // One that is gone again before its first figure is no failure.
      await followAll(refs).catch(() => undefined);
    }
    const entries = [...followed.values()];
    paint(await print(entries));
    if (args.length > 0 && entries.every(({ ended }) => ended)) return;
    await sleep(INTERVAL_MS);
  }
}

async function listed({ engine, flags }: CommandContext): Promise<readonly string[]> {
  const containers = await engine.json<readonly ContainerSummary[]>('GET', '/containers/json', {
    query: { all: flags.bool('all') ? 1 : undefined },
  });
  return containers.map(({ Id }) => Id);
}

/** A container whose figures come in. */
class Followed implements StatsEntry {
  readonly ref: string;
  /** Resolves with the first figures. @throws BerthError when there is no such container */
  readonly begun: Promise<void>;
  stats: StatsBody | undefined;
  ended = false;

  constructor(engine: Engine, ref: string) {
    this.ref = ref;
    const begun = Promise.withResolvers<void>();
    this.begun = begun.promise;
    this.#follow(engine, begun.resolve)
      .catch(begun.reject)
      .finally(() => {
        this.ended = true;
        begun.resolve();
      });
    // Awaited by whoever follows it; a later one would find it handled.
    this.begun.catch(() => undefined);
  }

  async #follow(engine: Engine, begin: () => void): Promise<void> {
    const { stream } = await engine.request('GET', containerPath(this.ref, 'stats'), { query: { stream: 1 } });
    try {
      for await (const stats of jsonLines<StatsBody>(stream)) {
        this.stats = stats;
        begin();
      }
    } catch {
      // A stream that breaks has ended, as far as the table is concerned.
    }
  }
}

const HOME = '\x1b[H';
const CLEAR_REST_OF_LINE = '\x1b[K';
const CLEAR_REST = '\x1b[J';

/** On a terminal each table takes the place of the last one. */
function painter(output: OutputStream): (table: string) => void {
  if (!output.isTTY) return (table) => output.write(table);
  output.write(`${HOME}${CLEAR_REST}`);
  return (table) => output.write(`${HOME}${table.replaceAll('\n', `${CLEAR_REST_OF_LINE}\n`)}${CLEAR_REST}`);
}

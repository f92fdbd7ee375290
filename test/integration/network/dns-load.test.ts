import { describe, expect, it } from 'vitest';
import { NameDirectory } from '../../../src/engine/networks/name-directory.ts';
import { type Message, rcodes, types } from '../../../src/network/dns/message.ts';
import { DnsContainer } from './dns-container.ts';

const CONTAINERS = 20;
const LOOKUPS = 4000;
const AT_ONCE = 8;
/** So many look-ups happen between two changes of names. */
const CHANGE_EVERY = 5;
const RESTART_EVERY = 200;
const SERVICES = 12;
const network = { id: 'n', name: 'net' };

describe('500 look-ups a second over 20 containers', () => {
  it('are never answered by what was not true while they were asked', async () => {
    const truth = new Truth();
    const names = {
      lookup: (name: string) => truth.directory.lookup(name, [network]),
      reverse: () => undefined,
    };
    const containers = await Promise.all(Array.from({ length: CONTAINERS }, () => DnsContainer.start({ names })));
    const random = numbers(7);
    const wrong: string[] = [];
    const tookMs: number[] = [];
    let [asked, restarting] = [0, Promise.resolve()];
    const askOn = async () => {
      while (asked < LOOKUPS) {
        asked += 1;
        if (asked % CHANGE_EVERY === 0) truth.change(random);
        if (asked % RESTART_EVERY === 0) restarting = restarting.then(() => replace(containers, random, names));
        const service = `s${random(SERVICES)}`;
        const name = random(2) ? service : `${service.toUpperCase()}.${network.name}`;
        const [before, began] = [truth.moment, performance.now()];
        const answer = await containers[random(containers.length)]!.client.ask(name, types.A);
        tookMs.push(performance.now() - began);
        if (!truth.was(service, answer, before)) wrong.push(`${name}: ${outcomeOf(answer)}`);
      }
    };
    const used = process.cpuUsage();
    await Promise.all(Array.from({ length: AT_ONCE }, askOn));
    await restarting;
    const { user, system } = process.cpuUsage(used);
    for (const container of containers) container[Symbol.dispose]();
    expect(wrong).toEqual([]);
    expect(tookMs).toHaveLength(LOOKUPS);
    // In the process's own time, so that other programs on the machine do not count; both sides are in it.
    const perSecond = LOOKUPS / ((user + system) / 1e6);
    expect(perSecond).toBeGreaterThan(500);
  });
});

/** What the names are, and what they were at each moment. */
class Truth {
  readonly directory = new NameDirectory();
  moment = 0;
  readonly #history = new Map<string, { readonly since: number; readonly outcome: string }[]>();
  readonly #addresses = new Map<string, Map<string, string>>();
  #last = 0;

  /** A container of a service comes, or goes. */
  change(random: (below: number) => number): void {
    const service = `s${random(SERVICES)}`;
    const members = this.#addresses.get(service) ?? new Map<string, string>();
    this.#addresses.set(service, members);
    const [some] = [...members.keys()];
    if (some !== undefined && (members.size > 3 || random(2))) {
      members.delete(some);
      this.directory.leave(network.id, some);
    } else {
      const number = ++this.#last;
      const [id, ipv4] = [`c${number}`, `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`];
      members.set(id, ipv4);
      this.directory.join(network.id, id, { name: id, names: [id, service], ipv4 });
    }
    this.moment += 1;
    const history = this.#history.get(service) ?? [{ since: 0, outcome: 'unknown' }];
    const outcome = [...members.values()].sort().join() || 'unknown';
    this.#history.set(service, [...history, { since: this.moment, outcome }]);
  }

  /** Whether an answer that just came was true at some moment since the question. */
  was(service: string, answer: Message, asked: number): boolean {
    const history = this.#history.get(service) ?? [{ since: 0, outcome: 'unknown' }];
    const first = history.findLastIndex(({ since }) => since <= asked);
    return history.slice(first).some(({ outcome }) => outcome === outcomeOf(answer));
  }
}

function outcomeOf({ rcode, answers }: Message): string {
  // A container without a way out cannot say that an unknown name does not exist.
  if (rcode === rcodes.serverFailure) return 'unknown';
  return answers
    .map(({ data }) => [...data].join('.'))
    .sort()
    .join();
}

/** A container ends, another one takes its place. The new one is asked from when it is there. */
async function replace(
  containers: DnsContainer[],
  random: (below: number) => number,
  names: Parameters<typeof DnsContainer.start>[0]['names'],
): Promise<void> {
  const started = await DnsContainer.start(names ? { names } : {});
  const [ended] = containers.splice(random(containers.length), 1, started);
  await ended?.end();
}

/** The same sequence of numbers in each run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

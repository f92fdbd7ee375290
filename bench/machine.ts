import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { timeCommand } from './measure.ts';

/** The machine and how busy it was, for the head of a report. */
export function describeMachine(): Record<string, string> {
  const tool = (program: string, ...args: string[]) => {
    try {
      return execFileSync(program, args, { encoding: 'utf8' }).split('\n')[0]!.trim();
    } catch {
      return 'not there';
    }
  };
  return {
    date: new Date().toISOString(),
    load: loadavg()
      .map((value) => value.toFixed(2))
      .join(' '),
    cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    kernel: release(),
    node: process.version,
    crun: tool('crun', '--version'),
    docker: tool('dockerd', '--version'),
    podman: tool('podman', '--version'),
  };
}

/** A bundle for bare `crun run`, on a plain folder: the floor of everything that runs a container. */
export class BareCrun {
  readonly #folder = mkdtempSync('/tmp/berth-bare-');
  #count = 0;

  constructor(rootfsTar: string) {
    mkdirSync(join(this.#folder, 'rootfs'));
    execFileSync('tar', ['-xf', rootfsTar, '-C', join(this.#folder, 'rootfs')]);
    execFileSync('crun', ['spec'], { cwd: this.#folder });
    const file = join(this.#folder, 'config.json');
    const config = JSON.parse(readFileSync(file, 'utf8'));
    config.process.terminal = false;
    config.process.args = ['/bin/true'];
    config.linux.namespaces = config.linux.namespaces.filter(({ type }: { type: string }) => type !== 'cgroup');
    writeFileSync(file, JSON.stringify(config));
  }

  /** Milliseconds of `times` runs, one after the other. */
  async run(times: number): Promise<number> {
    let total = 0;
    for (let i = 0; i < times; i++) {
      const id = `bare-${process.pid}-${this.#count++}`;
      total += await timeCommand('crun', [
        '--cgroup-manager=cgroupfs',
        '--root',
        join(this.#folder, 'state'),
        'run',
        '-b',
        this.#folder,
        id,
      ]);
    }
    return total;
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Memory of a process in MB: what is resident, and its share of it when pages that others map too are divided. */
export function memoryMb(pid: number): { readonly resident: number; readonly share: number } {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0) / 1024;
  return { resident: field('Rss'), share: field('Pss') };
}

/** The largest resident memory of an engine and of its sender during commands. */
export class PeakMemory {
  readonly #engine: () => number | undefined;
  readonly #senderMark: string;
  readonly #peaks = new Map<string, number>();
  #idle = 0;

  /** @param senderMark a word of the command line that only this engine's sender has */
  constructor(engine: () => number | undefined, senderMark: string) {
    this.#engine = engine;
    this.#senderMark = senderMark;
  }

  /** The engine has nothing to do now, and has done nothing large yet. */
  noteIdle(): void {
    this.#idle = memoryMb(this.#engine()!).resident;
  }

  async during<T>(what: string, run: () => Promise<T>): Promise<T> {
    for (const pid of this.#pids()) writeFileSync(`/proc/${pid}/clear_refs`, '5');
    const result = await run();
    const peak = this.#pids().reduce((sum, pid) => sum + highest(pid), 0);
    this.#peaks.set(what, Math.max(peak, this.#peaks.get(what) ?? 0));
    return result;
  }

  report(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      [...this.#peaks].map(([what, peak]) => [
        `${what}: peak of engine and sender above the idle engine`,
        peak - this.#idle,
      ]),
    );
  }

  #pids(): readonly number[] {
    const engine = this.#engine();
    const senders = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => readOrEmpty(`/proc/${pid}/cmdline`).split('\0').includes(this.#senderMark));
    return [...(engine === undefined ? [] : [engine]), ...senders.map(Number)];
  }
}

function highest(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readOrEmpty(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

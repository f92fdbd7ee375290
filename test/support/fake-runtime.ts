import type {
  AttachedStreams,
  ContainerRuntime,
  ContainerSpec,
  ExecSpec,
  ExitStatus,
  LogEntry,
  LogOptions,
  RunningExec,
  RunningProcess,
} from '../../src/engine/ports.ts';
import { BerthError } from '../../src/errors/index.ts';
import type { ContainerLimits, ContainerUsage } from '../../src/oci/index.ts';

type Stream = 'stdout' | 'stderr';

/** What a container that has done nothing uses, on a machine of two CPUs. */
const idleUsage: ContainerUsage = {
  cgroups: '1',
  cpu: { total: 0, user: 0, kernel: 0, perCpu: [0, 0], periods: 0, throttledPeriods: 0, throttled: 0 },
  memory: { usage: 4096, maxUsage: 4096, failures: 0, stats: {} },
  pids: { current: 1 },
  blockIo: { bytes: [], operations: [] },
  interfaces: {},
  host: { cpuTotal: 1e12, cpus: 2, memoryBytes: 8 * 1024 ** 3 },
};

/** Output that a test writes and an engine reads. */
class Pipe {
  readonly #chunks: { readonly stream: Stream; readonly chunk: Buffer }[] = [];
  #wake = Promise.withResolvers<void>();
  #ended = false;

  push(stream: Stream, text: string): void {
    this.#chunks.push({ stream, chunk: Buffer.from(text) });
    this.#notify();
  }

  end(): void {
    this.#ended = true;
    this.#notify();
  }

  async *[Symbol.asyncIterator]() {
    for (;;) {
      const next = this.#chunks.shift();
      if (next) yield next;
      else if (this.#ended) return;
      else await this.#wake.promise;
    }
  }

  #notify(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }
}

/** A pretended process: the test says what it writes and when it ends. */
export class FakeProcess {
  readonly spec: ContainerSpec | ExecSpec;
  readonly identity: RunningProcess;
  readonly pipe = new Pipe();
  readonly exit = Promise.withResolvers<ExitStatus>();
  readonly signals: number[] = [];
  readonly sizes: string[] = [];
  input = '';
  inputEnded = false;
  alive = true;
  started = false;
  onInput: (text: string) => void = () => undefined;
  onSignal: (signal: number) => void = (signal) => {
    if (signal === 9) this.end(137);
  };
  readonly #log: (stream: Stream, text: string) => void;

  constructor(
    spec: ContainerSpec | ExecSpec,
    identity: RunningProcess,
    log: (stream: Stream, text: string) => void = () => undefined,
  ) {
    this.spec = spec;
    this.identity = identity;
    this.#log = log;
  }

  write(text: string, stream: Stream = 'stdout'): void {
    this.#log(stream, text);
    this.pipe.push(stream, text);
  }

  end(code: number, oomKilled = false): void {
    if (!this.alive) return;
    this.alive = false;
    this.exit.resolve({ code, oomKilled, at: '2026-01-01T00:00:09Z' });
    this.pipe.end();
  }

  streams(): AttachedStreams {
    return {
      output: this.pipe,
      write: async (chunk) => {
        this.input += Buffer.from(chunk).toString();
        this.onInput(Buffer.from(chunk).toString());
      },
      closeStdin: () => {
        this.inputEnded = true;
      },
      close: () => this.pipe.end(),
    };
  }
}

/** A `ContainerRuntime` without containers. Calls are noted in order. */
export class FakeRuntime implements ContainerRuntime {
  readonly calls: string[] = [];
  readonly #processes = new Map<string, FakeProcess>();
  readonly execs: FakeProcess[] = [];
  readonly logs = new Map<string, LogEntry[]>();
  /** What a process does when its command goes. */
  program: (process: FakeProcess) => void = () => undefined;
  createFailure: Error | undefined;
  execFailure: Error | undefined;
  updateFailure: Error | undefined;
  used: ContainerUsage = idleUsage;
  /** Awaited in `create`, so that a test can hold a start. */
  gate: Promise<void> = Promise.resolve();
  now: () => number = () => 0;
  #pid = 100;
  readonly #logChanged = new EventTarget();

  async create(spec: ContainerSpec, logPath: string): Promise<RunningProcess> {
    this.calls.push('create');
    await this.gate;
    if (this.createFailure) throw this.createFailure;
    const pid = ++this.#pid;
    const identity = { pid, startTicks: String(pid), supervisorPid: pid + 5000, bundle: `/run/${spec.id}` };
    this.#processes.set(spec.id, new FakeProcess(spec, identity, (stream, text) => this.#log(logPath, stream, text)));
    return identity;
  }

  async start(id: string): Promise<void> {
    this.calls.push('start');
    const process = this.of(id);
    process.started = true;
    this.program(process);
  }

  exited(id: string): Promise<ExitStatus> {
    return this.of(id).exit.promise;
  }

  isAlive(process: RunningProcess): boolean {
    return [...this.#processes.values()].some(({ identity, alive }) => identity.pid === process.pid && alive);
  }

  signal(process: RunningProcess, signal: number): void {
    const target = [...this.#processes.values()].find(({ identity }) => identity.pid === process.pid);
    if (!target?.alive) throw new BerthError('conflict', 'gone');
    target.signals.push(signal);
    target.onSignal(signal);
  }

  async pause(process: RunningProcess): Promise<void> {
    this.calls.push(`pause ${process.pid}`);
  }

  async resume(process: RunningProcess): Promise<void> {
    this.calls.push(`resume ${process.pid}`);
  }

  async update(_id: string, _process: RunningProcess, limits: ContainerLimits): Promise<void> {
    if (this.updateFailure) throw this.updateFailure;
    this.calls.push(`update ${JSON.stringify(limits)}`);
  }

  async usage(): Promise<ContainerUsage> {
    return this.used;
  }

  async attach(id: string): Promise<AttachedStreams> {
    this.calls.push('attach');
    return this.of(id).streams();
  }

  async resize(process: RunningProcess, rows: number, columns: number): Promise<void> {
    const target = [...this.#processes.values()].find(({ identity }) => identity.pid === process.pid);
    target?.sizes.push(`${rows}x${columns}`);
  }

  async exec(_id: string, _process: RunningProcess, spec: ExecSpec): Promise<RunningExec> {
    if (this.execFailure) throw this.execFailure;
    const pid = ++this.#pid;
    const process = new FakeProcess(spec, { pid, startTicks: '1', supervisorPid: 0, bundle: '' });
    this.execs.push(process);
    this.program(process);
    return {
      pid,
      streams: process.streams(),
      exited: process.exit.promise.then(({ code }) => code),
      resize: async (rows, columns) => {
        process.sizes.push(`${rows}x${columns}`);
      },
    };
  }

  async delete(id: string): Promise<void> {
    this.calls.push('delete');
    this.#processes.get(id)?.end(137);
  }

  async *readLog(logPath: string, options: LogOptions): AsyncGenerator<LogEntry> {
    const entries = this.#entries(logPath);
    const wanted = ({ time }: LogEntry) =>
      Date.parse(time) >= (options.since ?? 0) && Date.parse(time) <= (options.until ?? Number.POSITIVE_INFINITY);
    let ended = !options.follow;
    options.ended?.then(() => {
      ended = true;
      this.#logChanged.dispatchEvent(new Event('change'));
    });
    let at = options.tail === 'all' ? 0 : Math.max(0, entries.length - options.tail);
    for (;;) {
      while (at < entries.length) {
        const entry = entries[at++]!;
        if (wanted(entry)) yield entry;
      }
      if (ended || options.signal?.aborted) return;
      await new Promise((resolve) => {
        this.#logChanged.addEventListener('change', resolve, { once: true });
        options.signal?.addEventListener('abort', resolve, { once: true });
      });
    }
  }

  of(id: string): FakeProcess {
    const process = this.#processes.get(id);
    if (!process) throw new Error(`no process of ${id}`);
    return process;
  }

  #entries(path: string): LogEntry[] {
    const entries = this.logs.get(path) ?? [];
    this.logs.set(path, entries);
    return entries;
  }

  #log(path: string, stream: Stream, text: string): void {
    const time = new Date(this.now()).toISOString();
    for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
      this.#entries(path).push({ time, stream, line: Buffer.from(line) });
    }
    this.#logChanged.dispatchEvent(new Event('change'));
  }
}

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Runtime } from '../../../src/runtime/container/index.ts';
import type { tools } from './engine-tools.ts';

type Context = { readonly runtime: Runtime } & ReturnType<typeof tools>;

/** The folders of one engine, which outlive its processes. Short: sockets lie in them. */
export class Place {
  readonly folder = mkdtempSync('/tmp/brt-');
  readonly runFolder = `${this.folder}/run`;
  readonly dataFolder = `${this.folder}/data`;
  readonly root = `${this.dataFolder}/root`;

  constructor() {
    makeBusyboxRoot(this.root);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What is left of containers: bundles, runtime state, exit files, cgroups. */
  leftovers(): readonly string[] {
    const inside = (folder: string) =>
      existsSync(folder) ? readdirSync(folder).map((name) => `${folder}/${name}`) : [];
    const cgroups = readdirSync('/sys/fs/cgroup').flatMap((hierarchy) => inside(`/sys/fs/cgroup/${hierarchy}/berth`));
    return [
      ...['b', 'exits', 'crun', 'runc'].flatMap((name) => inside(`${this.runFolder}/${name}`)),
      ...cgroups.filter((path) => path.includes(basename(this.folder)) || path.includes(testIdPrefix)),
    ];
  }
}

/** Container ids of this process begin so: others on the machine may run the same tests. */
const testIdPrefix = `e57e57${process.pid.toString(16).padStart(6, '0')}`;
let counter = 0;
export function testId(): string {
  counter += 1;
  // The first twelve digits tell bundles apart, so the counter comes before the process.
  return `${counter.toString(16).padStart(4, '0')}${testIdPrefix}`.padEnd(64, '0');
}

function makeBusyboxRoot(root: string): void {
  for (const folder of ['bin', 'etc', 'tmp', 'root', 'home/web']) mkdirSync(`${root}/${folder}`, { recursive: true });
  chmodSync(`${root}/tmp`, 0o1777);
  copyFileSync('/bin/busybox', `${root}/bin/busybox`);
  const applets = execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).split('\n').filter(Boolean);
  for (const applet of applets) if (applet !== 'busybox') symlinkSync('busybox', `${root}/bin/${applet}`);
  writeFileSync(`${root}/etc/passwd`, 'root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/home/web:/bin/sh\n');
  writeFileSync(`${root}/etc/group`, 'root:x:0:\nweb:x:1000:\nextra:x:2000:web\n');
}

/** A process that has entered the engine's namespace and opened the runtime; tests send it functions to run. */
export class EngineProcess {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  #next = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    createInterface({ input: child.stdout! }).on('line', (line) => this.#settle(line));
    child.once('exit', () => {
      for (const waiting of this.#pending.values()) waiting.reject(new Error('the engine process ended'));
    });
  }

  static async start(place: Place): Promise<EngineProcess> {
    const main = fileURLToPath(new URL('engine-process-main.ts', import.meta.url));
    const child = spawn(process.execPath, ['--no-warnings', main, place.runFolder, place.dataFolder], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const engine = new EngineProcess(child);
    await engine.do(async () => {});
    return engine;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Runs a function in the engine process. It sees its arguments only: no imports, no outer variables. */
  async do<Result, Args>(run: (context: Context, args: Args) => Promise<Result>, args?: Args): Promise<Result> {
    const id = this.#next++;
    const waiting = Promise.withResolvers<unknown>();
    this.#pending.set(id, waiting);
    this.#child.stdin!.write(`${JSON.stringify({ id, source: run.toString(), args })}\n`);
    return (await waiting.promise) as Result;
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.stdin!.end();
    await ended;
  }

  #settle(line: string): void {
    const { id, value, error } = JSON.parse(line) as { id: number; value?: unknown; error?: object };
    const waiting = this.#pending.get(id);
    this.#pending.delete(id);
    if (error) waiting?.reject(Object.assign(new Error(), error));
    else waiting?.resolve(value);
  }
}

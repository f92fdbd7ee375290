import { existsSync, type FSWatcher, mkdirSync, readFileSync, rmSync, statSync, watch } from 'node:fs';
import { isRunning, type ProcessIdentity, signalProcess } from '../../linux/index.ts';
import { isSupervisor } from './supervisor.ts';

export interface Exit {
  readonly code: number;
  /** ISO time. */
  readonly at: string;
}

/** A supervised process whose end is awaited. */
export interface Awaited extends ProcessIdentity {
  readonly supervisorPid: number;
  readonly bundle: string;
}

interface Waiter {
  readonly process: Awaited;
  readonly promise: Promise<Exit>;
  resolve(exit: Exit): void;
}

/** Notifications may be lost, and a killed supervisor writes nothing: so often is everything looked at again. */
const recheckMs = 1000;
const SIGKILL = 9;
const killedCode = 128 + SIGKILL;
/** Nobody saw the process end (the machine stopped): what Docker reports then. */
const unknownCode = 255;

/** Learns of ends from the exit files that supervisors write into one folder, named by id. */
export class ExitWatch {
  readonly #folder: string;
  readonly #waiters = new Map<string, Waiter>();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** The end of a process, also when it has ended already. Asking twice gives the same promise. */
  wait(id: string, process: Awaited): Promise<Exit> {
    const known = this.#waiters.get(id);
    if (known) return known.promise;
    this.#listen();
    const { promise, resolve } = Promise.withResolvers<Exit>();
    this.#waiters.set(id, { process, promise, resolve });
    this.#check(id);
    return promise;
  }

  /** Forgets an id and its exit file. */
  forget(id: string): void {
    rmSync(`${this.#folder}/${id}`, { force: true });
    this.#settle(id, undefined);
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#waiters.clear();
  }

  #listen(): void {
    this.#watcher ??= watch(this.#folder, (_event, name) => {
      if (name !== null) this.#check(name);
    }).on('error', () => {});
    this.#timer ??= setInterval(() => {
      for (const [id, waiter] of this.#waiters) if (!this.#check(id)) this.#checkSupervisor(id, waiter);
    }, recheckMs);
  }

  #check(id: string): boolean {
    if (!this.#waiters.has(id)) return false;
    const exit = readExit(`${this.#folder}/${id}`);
    if (exit) this.#settle(id, exit);
    return exit !== undefined;
  }

  /** Without its supervisor a container has no streams and no one who sees it end: it is ended. */
  #checkSupervisor(id: string, { process }: Waiter): void {
    if (isSupervisor(process.supervisorPid, process.bundle) || this.#check(id)) return;
    const wasRunning = isRunning(process) && signalProcess(process, SIGKILL);
    this.#settle(id, { code: wasRunning ? killedCode : unknownCode, at: new Date().toISOString() });
  }

  #settle(id: string, exit: Exit | undefined): void {
    const waiter = this.#waiters.get(id);
    this.#waiters.delete(id);
    if (exit) waiter?.resolve(exit);
    if (this.#waiters.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** Exit files appear whole: conmon renames them into place. */
function readExit(file: string): Exit | undefined {
  try {
    const code = Number(readFileSync(file, 'utf8'));
    return { code, at: statSync(file).mtime.toISOString() };
  } catch {
    return undefined;
  }
}

/** True when a supervisor saw the kernel kill something in the container for want of memory. */
export function wasOutOfMemory(bundle: string): boolean {
  return existsSync(`${bundle}/oom`);
}

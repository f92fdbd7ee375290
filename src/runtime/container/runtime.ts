import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { BerthError, toBerthError } from '../../errors/index.ts';
import { isRunning, signalProcess, waitUntil } from '../../linux/index.ts';
import type { ContainerLimits, ContainerUsage } from '../../oci/index.ts';
import { removeEmptyParents } from '../cgroup/parents.ts';
import type { CgroupView } from '../cgroup/view.ts';
import { attachStreams } from '../conmon/attach.ts';
import { execWithTerminal } from '../conmon/exec.ts';
import { ExitWatch, wasOutOfMemory } from '../conmon/exits.ts';
import { conmonPath } from '../conmon/launch.ts';
import { resizeTerminal, supervisorOf } from '../conmon/supervisor.ts';
import { execWithPipes } from '../crun/exec.ts';
import {
  controlRuntime,
  deleteContainer,
  findRuntime,
  type RuntimeName,
  type RuntimeProgram,
  runtimeNames,
} from '../crun/invoke.ts';
import { removeCgroup } from '../linux/cgroup.ts';
import { verifyNamespace } from '../linux/namespace.ts';
import { type LogEntry, type LogQuery, readLog } from '../logs/read.ts';
import { deviceNumbers } from '../spec/config.ts';
import { execProcess } from '../spec/exec.ts';
import { ociJson } from '../spec/oci-json.ts';
import { ociResources } from '../spec/resources.ts';
import { type BuildStep, runBuildStep, type StepMachinery } from './build-step.ts';
import { bundleFolder, makeBundle, type RunPaths, readConfig, removeBundle, runPaths } from './bundle.ts';
import { SeccompFilters } from './filters.ts';
import { machineFacts } from './machine.ts';
import { recoverRuntime } from './recover.ts';
import { identityInRoot } from './root-users.ts';
import { type ContainerProcess, type ContainerRequest, createContainer } from './start-container.ts';
import type { ExecProcess, ProcessStreams } from './streams.ts';
import { type ProcessTable, processTable } from './top.ts';
import { cgroupOf, containerUsage } from './usage.ts';

export interface RuntimeOptions {
  /** Runtime state; a short path, gone after a reboot. */
  readonly runFolder: string;
  /** Compiled filters are kept in it. */
  readonly dataFolder: string;
  readonly defaultRuntime: RuntimeName;
  readonly log?: (line: string) => void;
}

export interface ContainerExit {
  readonly code: number;
  readonly oomKilled: boolean;
  /** ISO time. */
  readonly at: string;
}

/** A process to run in a container beside its own. */
export interface ExecRequest {
  readonly id: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly privileged: boolean;
}

const supervisorEndMs = 2000;

/**
 * Makes the runtime ready in this process.
 * @throws BerthError `unavailable` when crun, runc or conmon is missing, `internal` when the namespace was entered too late
 */
export async function openRuntime(options: RuntimeOptions): Promise<Runtime> {
  await verifyNamespace();
  findRuntime(options.defaultRuntime, options.runFolder);
  mkdirSync(options.runFolder, { recursive: true, mode: 0o711 });
  return new Runtime(options, conmonPath());
}

/** Processes in containers: `ContainerRuntime` of the engine, `StepRunner` of the builder. */
export class Runtime {
  readonly #options: RuntimeOptions;
  readonly #conmon: string;
  readonly #paths: RunPaths;
  readonly #exits: ExitWatch;
  readonly #filters: SeccompFilters;
  readonly #machine = machineFacts();
  readonly #programs = new Map<string, RuntimeProgram>();

  constructor(options: RuntimeOptions, conmon: string) {
    this.#options = options;
    this.#conmon = conmon;
    this.#paths = runPaths(options.runFolder);
    this.#exits = new ExitWatch(this.#paths.exits);
    this.#filters = new SeccompFilters(`${options.dataFolder}/cache/seccomp`, options.log ?? (() => {}));
  }

  /** Runs a build step on a mounted root. @returns exit code. @throws BerthError; the signal's reason when aborted */
  async run(step: BuildStep, root: { readonly path: string }): Promise<number> {
    return await runBuildStep(step, root.path, this.#machinery(this.#options.defaultRuntime));
  }

  async create(request: ContainerRequest, logPath: string): Promise<ContainerProcess> {
    // What an earlier run of the same container left is in the way.
    await this.delete(request.id, undefined);
    return await createContainer(request, logPath, this.#conmon, this.#machinery(request.runtime));
  }

  async start(id: string, process: ContainerProcess): Promise<void> {
    if (!this.isAlive(process)) throw new BerthError('conflict', 'the container was killed before it started');
    await controlRuntime(this.#programOf(id), ['start', id]);
  }

  async exited(id: string, process: ContainerProcess): Promise<ContainerExit> {
    const { code, at } = await this.#exits.wait(id, process);
    // The kernel counts what a supervisor that was killed, too, cannot tell.
    const oomKilled = wasOutOfMemory(process.bundle) || (cgroupOf(process.bundle)?.oomKills() ?? 0) > 0;
    return { code, at, oomKilled };
  }

  isAlive(process: ContainerProcess): boolean {
    return isRunning(process);
  }

  signal(process: ContainerProcess, signal: number): void {
    if (!signalProcess(process, signal)) throw new BerthError('conflict', 'the container is not running');
  }

  /** Stops every process in the container where it is. @throws BerthError `conflict` when it is gone */
  async pause(process: ContainerProcess): Promise<void> {
    await this.#cgroup(process).freeze(true);
  }

  /** Lets the processes go on. */
  async resume(process: ContainerProcess): Promise<void> {
    await this.#cgroup(process).freeze(false);
  }

  /** Sets limits of a running container; what is absent stays. @throws BerthError `invalid` when the kernel refuses */
  async update(id: string, process: ContainerProcess, limits: ContainerLimits): Promise<void> {
    const file = `${process.bundle}/resources.json`;
    const { pids, ...others } = limits;
    const isLifted = pids !== undefined && pids < 0;
    const wanted = isLifted ? others : limits;
    writeFileSync(file, JSON.stringify(ociResources(wanted, deviceNumbers(this.#machine))));
    try {
      await controlRuntime(this.#programOf(id), ['update', '--resources', file, id]);
    } catch (error) {
      throw new BerthError('invalid', toBerthError(error).message, { cause: error });
    }
    // crun writes the -1 of the specification as it is, which the kernel does not take.
    if (isLifted) this.#cgroup(process).liftPidsLimit();
  }

  /** What the container has used, and uses. @throws BerthError `conflict` when it is gone */
  async usage(process: ContainerProcess): Promise<ContainerUsage> {
    const usage = this.isAlive(process) ? containerUsage(process.pid, process.bundle) : undefined;
    if (!usage) throw new BerthError('conflict', 'the container is not running');
    return usage;
  }

  async attach(_id: string, process: ContainerProcess): Promise<ProcessStreams> {
    try {
      return attachStreams(process.bundle);
    } catch (error) {
      throw new BerthError('conflict', 'cannot attach: the container is not running', { cause: error });
    }
  }

  async resize(process: ContainerProcess, rows: number, columns: number): Promise<void> {
    resizeTerminal(process.bundle, rows, columns);
  }

  /** Replaces the texts in place: the files are mounted in the container. */
  writeNames({ bundle }: ContainerProcess, files: { readonly hosts: string; readonly resolvConf: string }): void {
    writeFileSync(`${bundle}/hosts`, files.hosts);
    writeFileSync(`${bundle}/resolv.conf`, files.resolvConf);
  }

  async exec(id: string, process: ContainerProcess, request: ExecRequest): Promise<ExecProcess> {
    const config = readConfig(process.bundle);
    if (!config || !this.isAlive(process))
      throw new BerthError('conflict', `container ${id.slice(0, 12)} is not running`);
    if (request.argv.length === 0) throw new BerthError('invalid', 'no exec command specified');
    const bundle = bundleFolder(this.#paths, request.id);
    makeBundle(bundle);
    try {
      const identity = identityInRoot(`/proc/${process.pid}/root`, request.user);
      const spec = execProcess({ ...request, identity }, config, this.#machine.capabilities);
      writeFileSync(`${bundle}/process.json`, ociJson(spec));
      const exec = { containerId: id, bundle, argv: request.argv, stdin: request.openStdin };
      const running = request.tty
        ? await execWithTerminal(this.#conmon, this.#programOf(id), exec)
        : await execWithPipes(this.#programOf(id), exec);
      const tidy = () => this.#removeBundle(bundle);
      running.exited.then(tidy, tidy);
      return running;
    } catch (error) {
      removeBundle(bundle);
      throw error;
    }
  }

  /** Kills what is left of a container and removes its runtime state. Idempotent. */
  async delete(id: string, process: ContainerProcess | undefined): Promise<void> {
    const bundle = process?.bundle ?? bundleFolder(this.#paths, id);
    for (const name of runtimeNames) await this.#deleteState(name, id);
    removeCgroup(`/berth/${id}`);
    await this.#removeBundle(bundle);
    this.#exits.forget(id);
  }

  async processes(process: ContainerProcess, psArgs: string): Promise<ProcessTable> {
    if (!this.isAlive(process)) throw new BerthError('conflict', 'the container is not running');
    return await processTable(process.pid, psArgs);
  }

  readLog(logPath: string, query: LogQuery): AsyncIterable<LogEntry> {
    return readLog(logPath, query);
  }

  /** Ends what an earlier engine left behind, but for `liveIds`. */
  async recover(liveIds: ReadonlySet<string>): Promise<void> {
    await recoverRuntime(this.#options.runFolder, this.#paths, liveIds);
  }

  /** Takes away what containers of the past needed. Cheap, and for quiet moments. */
  tidy(): void {
    removeEmptyParents();
  }

  /** Stops watching. Containers go on. */
  close(): void {
    this.#exits.close();
    removeEmptyParents();
  }

  #cgroup(process: ContainerProcess): CgroupView {
    const cgroup = this.isAlive(process) ? cgroupOf(process.bundle) : undefined;
    if (!cgroup) throw new BerthError('conflict', 'the container is not running');
    return cgroup;
  }

  /** A supervisor that has just lost its process still writes into its bundle. */
  async #removeBundle(bundle: string): Promise<void> {
    await waitUntil(() => supervisorOf(bundle) === undefined, supervisorEndMs);
    removeBundle(bundle);
  }

  async #deleteState(name: RuntimeName, id: string): Promise<void> {
    const stateFolder = `${this.#options.runFolder}/${name}/${id}`;
    if (!existsSync(stateFolder)) return;
    await deleteContainer(this.#program(name), id);
  }

  #machinery(runtime: string): StepMachinery {
    return { program: this.#program(runtime), paths: this.#paths, machine: this.#machine, filters: this.#filters };
  }

  #program(name: string): RuntimeProgram {
    let program = this.#programs.get(name);
    if (!program) {
      program = findRuntime(name, this.#options.runFolder);
      this.#programs.set(name, program);
    }
    return program;
  }

  /** The runtime that holds the state of a container: another may be the default by now. */
  #programOf(id: string): RuntimeProgram {
    const name = runtimeNames.find((runtime) => existsSync(`${this.#options.runFolder}/${runtime}/${id}`));
    if (!name) throw new BerthError('conflict', `container ${id.slice(0, 12)} is not running`);
    return this.#program(name);
  }
}

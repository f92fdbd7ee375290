import type { ExecCreateBody, ExecInspect } from '../../api/contract/index.ts';
import { BerthError, toBerthError } from '../../errors/index.ts';
import type { Attachment, ExecsApi } from '../api.ts';
import type { ExecSpec, RunningExec } from '../ports.ts';
import { openSession } from './client-session.ts';
import { announce, type Container, type ContainersContext } from './container.ts';
import { parseDetachKeys } from './detach-keys.ts';
import { overrideEnv } from './merge-config.ts';
import { generateId } from './names.ts';
import { OutputHub } from './output-hub.ts';

/** How long an ended exec can still be inspected. */
const KEPT_MS = 5 * 60_000;

interface Exec {
  readonly spec: ExecSpec;
  readonly container: Container;
  readonly body: ExecCreateBody;
  readonly hub: OutputHub;
  state: 'created' | 'running' | 'ended';
  running?: RunningExec;
  exitCode: number | null;
  endedAt?: number;
}

export interface StartExecOptions {
  readonly detach: boolean;
  readonly rows?: number;
  readonly columns?: number;
}

/** Commands run beside a container's own. They are not persisted: they end with the engine or with their container. */
export class Execs implements ExecsApi {
  readonly #context: ContainersContext;
  readonly #byId = new Map<string, Exec>();

  constructor(context: ContainersContext) {
    this.#context = context;
  }

  async create(containerRef: string, body: ExecCreateBody): Promise<{ Id: string }> {
    const container = this.#context.table.get(containerRef);
    requireRunning(container);
    if (body.Cmd.length === 0) throw new BerthError('invalid', 'No exec command specified');
    parseDetachKeys(body.DetachKeys);
    const { launch } = container.record;
    const id = generateId();
    const spec: ExecSpec = {
      id,
      argv: body.Cmd,
      env: overrideEnv(launch.env, body.Env ?? []),
      cwd: body.WorkingDir || launch.cwd,
      user: body.User || launch.user,
      tty: body.Tty ?? false,
      openStdin: body.AttachStdin ?? false,
      privileged: body.Privileged ?? false,
    };
    this.#forgetOld();
    this.#byId.set(id, { spec, container, body, hub: new OutputHub(), state: 'created', exitCode: null });
    announce(this.#context, container, `exec_create: ${body.Cmd.join(' ')}`, { execID: id });
    return { Id: id };
  }

  async start(id: string, options: StartExecOptions): Promise<Attachment | null> {
    const exec = this.#get(id);
    if (exec.state !== 'created') throw new BerthError('conflict', `exec instance ${id} has been started already`);
    requireRunning(exec.container);
    exec.state = 'running';
    // The place is taken before the command runs; it holds the command back rather than lose output.
    const attachment = options.detach ? null : this.#open(exec);
    try {
      await this.#run(exec, options);
    } catch (error) {
      const cause = toBerthError(error);
      this.#end(exec, cause.kind === 'forbidden' ? 126 : cause.kind === 'not-found' ? 127 : 128);
      if (options.detach) throw cause;
      return failed(exec.spec, cause);
    }
    return attachment;
  }

  async resize(id: string, rows: number, columns: number): Promise<void> {
    const { running, state } = this.#get(id);
    if (state !== 'running' || !running) throw new BerthError('conflict', `exec instance ${id} is not running`);
    await running.resize(rows, columns);
  }

  async inspect(id: string): Promise<ExecInspect> {
    const { spec, container, body, state, running, exitCode } = this.#get(id);
    return {
      ID: id,
      Running: state === 'running',
      ExitCode: exitCode,
      ProcessConfig: {
        tty: spec.tty,
        entrypoint: spec.argv[0] ?? '',
        arguments: spec.argv.slice(1),
        privileged: spec.privileged,
        ...(spec.user === '' ? {} : { user: spec.user }),
      },
      OpenStdin: spec.openStdin,
      OpenStderr: body.AttachStderr ?? false,
      OpenStdout: body.AttachStdout ?? false,
      CanRemove: false,
      ContainerID: container.id,
      DetachKeys: body.DetachKeys ?? '',
      Pid: running?.pid ?? 0,
    };
  }

  /** Ids of a container's commands that have not ended. */
  idsOf(container: Container): readonly string[] {
    return [...this.#byId.values()]
      .filter((exec) => exec.container === container && exec.state !== 'ended')
      .map(({ spec }) => spec.id);
  }

  #get(id: string): Exec {
    const exec = this.#byId.get(id);
    if (!exec || exec.container.removed) throw new BerthError('not-found', `No such exec instance: ${id}`);
    return exec;
  }

  #open({ hub, spec, body, container }: Exec): Attachment {
    return openSession(hub, {
      tty: spec.tty,
      stdout: body.AttachStdout ?? false,
      stderr: body.AttachStderr ?? false,
      ...(spec.openStdin
        ? {
            input: {
              endsProcessInput: !spec.tty,
              ...(spec.tty ? { detachKeys: parseDetachKeys(body.DetachKeys) } : {}),
            },
          }
        : {}),
      onDetach: () => announce(this.#context, container, 'exec_detach', { execID: spec.id }),
    });
  }

  async #run(exec: Exec, { rows, columns }: StartExecOptions): Promise<void> {
    const { container, spec, hub } = exec;
    const { run } = container;
    if (!run) throw new BerthError('conflict', `container ${container.id} is not running`);
    const running = await this.#context.ports.runtime.exec(container.id, run.process, spec);
    exec.running = running;
    announce(this.#context, container, `exec_start: ${spec.argv.join(' ')}`, { execID: spec.id });
    const drained = hub.drain(running.streams, true);
    Promise.all([running.exited.catch(() => 255), drained]).then(([code]) => this.#end(exec, code));
    if (rows && columns && spec.tty) await running.resize(rows, columns).catch(() => undefined);
  }

  /** The exit code is there before the streams end: clients ask for it then. */
  #end(exec: Exec, code: number): void {
    exec.state = 'ended';
    exec.exitCode = code;
    exec.endedAt = this.#context.ports.clock.now();
    const attributes = { execID: exec.spec.id, exitCode: String(code) };
    announce(this.#context, exec.container, 'exec_die', attributes);
    exec.hub.finish();
  }

  #forgetOld(): void {
    const oldest = this.#context.ports.clock.now() - KEPT_MS;
    for (const [id, { container, endedAt }] of this.#byId) {
      if (container.removed || (endedAt !== undefined && endedAt < oldest)) this.#byId.delete(id);
    }
  }
}

function requireRunning({ id, record }: Container): void {
  if (record.state.status === 'paused') {
    throw new BerthError('conflict', `Container ${id} is paused, unpause the container before exec`);
  }
  if (record.state.status !== 'running') throw new BerthError('conflict', `container ${id} is not running`);
}

/** Docker tells this in the stream, and clients take the exit code from an inspect. */
function failed({ argv, tty }: ExecSpec, cause: BerthError): Attachment {
  const command = `exec: ${JSON.stringify(argv[0])}: `;
  const why =
    cause.kind === 'not-found'
      ? `${command}executable file not found in $PATH`
      : cause.kind === 'forbidden'
        ? `${command}permission denied`
        : cause.message;
  const line = Buffer.from(`failed to run the command: ${why}\r\n`);
  const entries = (async function* () {
    yield { time: '', stream: 'stdout' as const, line };
  })();
  return openSession(new OutputHub(), { tty, stdout: true, stderr: true, replay: { entries, whole: true } });
}

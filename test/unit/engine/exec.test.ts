import { beforeEach, describe, expect, it } from 'vitest';
import type { ExecCreateBody } from '../../../src/api/contract/index.ts';
import type { Engine } from '../../../src/engine/index.ts';
import { BerthError } from '../../../src/errors/index.ts';
import { connectClient, framesOf } from '../../support/client-connection.ts';
import { FakeMachine } from '../../support/engine-fakes.ts';

let machine: FakeMachine;
let engine: Engine;
let container: string;

beforeEach(async () => {
  machine = new FakeMachine();
  engine = await machine.engine();
  container = (await engine.containers.create('web', { Image: 'box', Env: ['B=1'], User: 'app' })).Id;
  await engine.containers.start(container);
});

const create = async (body: Partial<ExecCreateBody> = {}) =>
  (await engine.execs.create('web', { Cmd: ['ls', '-l'], AttachStdout: true, AttachStderr: true, ...body })).Id;

async function run(id: string) {
  const connection = connectClient();
  const attachment = await engine.execs.start(id, { detach: false, tty: false });
  return { ...connection, bound: attachment!.bind(connection.server) };
}

describe('exec', () => {
  it('runs a command with what its container has', async () => {
    const id = await create({ Env: ['C=2', 'B=2'], WorkingDir: '/tmp' });
    await engine.execs.start(id, { detach: true, tty: false });
    expect(machine.runtime.execs[0]!.spec).toEqual({
      id,
      argv: ['ls', '-l'],
      env: ['B=2', 'PATH=/bin', 'A=image', 'C=2'],
      cwd: '/tmp',
      user: 'app',
      tty: false,
      openStdin: false,
      privileged: false,
    });
  });

  it('sends all output, then ends; the exit code is there by then', async () => {
    machine.runtime.program = (process) => {
      process.write('out');
      process.write('err', 'stderr');
      process.end(7);
    };
    const id = await create();
    const { received, ended } = await run(id);
    await ended;
    expect(framesOf(received())).toEqual({ stdout: 'out', stderr: 'err' });
    expect(await engine.execs.inspect(id)).toMatchObject({ Running: false, ExitCode: 7, ContainerID: container });
  });

  it('is held back by a client that does not read, rather than lose output', async () => {
    const id = await create();
    const connection = connectClient({ reading: false });
    const attachment = await engine.execs.start(id, { detach: false, tty: false });
    const bound = attachment!.bind(connection.server);
    const process = machine.runtime.execs[0]!;
    for (let round = 0; round < 50; round++) process.write('x'.repeat(100_000));
    process.end(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(connection.server.writableLength).toBeLessThan(2_000_000);
    const chunks: Buffer[] = [];
    connection.client.on('data', (chunk: Buffer) => chunks.push(chunk));
    await Promise.all([bound, connection.ended]);
    expect(framesOf(Buffer.concat(chunks)).stdout).toHaveLength(5_000_000);
  });

  it('gives input, and its end', async () => {
    const id = await create({ AttachStdin: true });
    const { client, ended } = await run(id);
    const process = machine.runtime.execs[0]!;
    const read = new Promise<void>((resolve) => {
      process.onInput = () => resolve();
    });
    client.end('in');
    await read;
    await new Promise((resolve) => setImmediate(resolve));
    expect(process).toMatchObject({ input: 'in', inputEnded: true });
    process.end(0);
    await ended;
  });

  it('starts once', async () => {
    const id = await create();
    await engine.execs.start(id, { detach: true, tty: false });
    await expect(engine.execs.start(id, { detach: true, tty: false })).rejects.toMatchObject({ kind: 'conflict' });
  });

  it('takes the size of a terminal, at once and later', async () => {
    const id = await create({ Tty: true });
    await engine.execs.start(id, { detach: true, tty: true, rows: 24, columns: 80 });
    await engine.execs.resize(id, 30, 100);
    expect(machine.runtime.execs[0]!.sizes).toEqual(['24x80', '30x100']);
  });

  it.each([
    ['not-found', 127, 'executable file not found in $PATH'],
    ['forbidden', 126, 'permission denied'],
  ] as const)('of a command that is %s tells so in the stream', async (kind, code, text) => {
    machine.runtime.execFailure = new BerthError(kind, 'x');
    const id = await create({ Cmd: ['nosuch'] });
    const { received, ended } = await run(id);
    await ended;
    expect(framesOf(received()).stdout).toContain(`exec: "nosuch": ${text}`);
    expect((await engine.execs.inspect(id)).ExitCode).toBe(code);
    const detached = await create({ Cmd: ['nosuch'] });
    await expect(engine.execs.start(detached, { detach: true, tty: false })).rejects.toMatchObject({ kind });
  });

  it('needs a running container and a command', async () => {
    await expect(create({ Cmd: [] })).rejects.toThrow('No exec command specified');
    const { Id } = await engine.containers.create('idle', { Image: 'box' });
    await expect(engine.execs.create('idle', { Cmd: ['ls'] })).rejects.toMatchObject({
      kind: 'conflict',
      message: `container ${Id} is not running`,
    });
    await expect(engine.execs.inspect('nope')).rejects.toThrow('No such exec instance: nope');
  });

  it('is known to its container while it runs, and gone with it', async () => {
    const id = await create();
    expect((await engine.containers.inspect('web', { size: false })).ExecIDs).toEqual([id]);
    await engine.containers.remove('web', { force: true, volumes: false });
    await expect(engine.execs.inspect(id)).rejects.toMatchObject({ kind: 'not-found' });
  });
});

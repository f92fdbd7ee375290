import { beforeEach, describe, expect, it } from 'vitest';
import type { ContainerCreateBody } from '../../../src/api/contract/index.ts';
import { CLIENT_QUEUE_BYTES } from '../../../src/engine/containers/client-output.ts';
import type { AttachQuery, Engine } from '../../../src/engine/index.ts';
import { connectClient, framesOf } from '../../support/client-connection.ts';
import { FakeMachine } from '../../support/engine-fakes.ts';
import type { FakeProcess } from '../../support/fake-runtime.ts';

const never = new AbortController().signal;
const everything: AttachQuery = { stdin: true, stdout: true, stderr: true, stream: true, logs: false };

let machine: FakeMachine;
let engine: Engine;

beforeEach(async () => {
  machine = new FakeMachine();
  engine = await machine.engine();
});

async function create(body: ContainerCreateBody = {}): Promise<string> {
  return (await engine.containers.create(undefined, { Image: 'box', ...body })).Id;
}

async function attach(id: string, query: Partial<AttachQuery> = {}, reading = true) {
  const connection = connectClient({ reading });
  const attachment = await engine.containers.attach(id, { ...everything, ...query });
  return { ...connection, bound: attachment.bind(connection.server) };
}

/** Resolves when the process has read `text` in all. */
function inputOf(process: FakeProcess, text: string): Promise<void> {
  return new Promise((resolve) => {
    const look = () => process.input === text && resolve();
    process.onInput = look;
    look();
  });
}

/** Lets everything that is on its way arrive. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('attach before start', () => {
  it('gets the first byte and the last, framed by stream', async () => {
    const id = await create();
    machine.runtime.program = (process) => {
      process.write('first');
      process.write('oops', 'stderr');
      process.write('last');
      process.end(0);
    };
    const { received, bound, ended } = await attach(id);
    await engine.containers.start(id);
    await Promise.all([bound, ended]);
    expect(framesOf(received())).toEqual({ stdout: 'firstlast', stderr: 'oops' });
  });

  it('gets raw bytes of a terminal', async () => {
    const id = await create({ Tty: true });
    machine.runtime.program = (process) => {
      process.write('raw');
      process.end(0);
    };
    const { received, ended } = await attach(id);
    await engine.containers.start(id);
    await ended;
    expect(received().toString()).toBe('raw');
  });

  it('has everything when a wait reports', async () => {
    const id = await create();
    const { received } = await attach(id);
    await engine.containers.start(id);
    const { result } = await engine.containers.wait(id, 'next-exit', never);
    machine.runtime.of(id).write('tail');
    machine.runtime.of(id).end(0);
    await result;
    await settle();
    expect(framesOf(received()).stdout).toBe('tail');
  });

  it('keeps output for a client whose connection is bound late', async () => {
    const id = await create();
    const attachment = await engine.containers.attach(id, everything);
    machine.runtime.program = (process) => {
      process.write('early');
      process.end(0);
    };
    await engine.containers.start(id);
    await (await engine.containers.wait(id, 'not-running', never)).result;
    const { server, received, ended } = connectClient();
    await attachment.bind(server);
    await ended;
    expect(framesOf(received()).stdout).toBe('early');
  });

  it('ends when the start fails', async () => {
    const id = await create();
    machine.runtime.createFailure = new Error('no');
    const { ended, bound } = await attach(id);
    await expect(engine.containers.start(id)).rejects.toThrow('no');
    await Promise.all([ended, bound]);
  });
});

describe('attach', () => {
  it('sends only the streams that were asked for', async () => {
    const id = await create();
    const { received, ended } = await attach(id, { stdout: false });
    await engine.containers.start(id);
    machine.runtime.of(id).write('out');
    machine.runtime.of(id).write('err', 'stderr');
    machine.runtime.of(id).end(0);
    await ended;
    expect(framesOf(received())).toEqual({ stdout: '', stderr: 'err' });
  });

  it('gives every client everything', async () => {
    const id = await create();
    const clients = [await attach(id), await attach(id)];
    await engine.containers.start(id);
    machine.runtime.of(id).write('all');
    machine.runtime.of(id).end(0);
    await Promise.all(clients.map(({ ended }) => ended));
    expect(clients.map(({ received }) => framesOf(received()).stdout)).toEqual(['all', 'all']);
  });

  it('replays the log first, and only once', async () => {
    const id = await create();
    await engine.containers.start(id);
    const process = machine.runtime.of(id);
    process.write('before\n');
    const { received, ended } = await attach(id, { logs: true });
    process.write('after\n');
    process.end(0);
    await ended;
    expect(framesOf(received()).stdout).toBe('before\nafter\n');
  });

  it('with logs alone ends after them', async () => {
    const id = await create();
    await engine.containers.start(id);
    machine.runtime.of(id).write('before\n');
    const { received, ended } = await attach(id, { logs: true, stream: false });
    await ended;
    expect(framesOf(received()).stdout).toBe('before\n');
  });

  it('outlives a client that breaks off', async () => {
    const id = await create();
    const { client, bound } = await attach(id);
    await engine.containers.start(id);
    client.destroy(new Error('reset'));
    await bound;
    machine.runtime.of(id).write('more');
    expect(machine.runtime.of(id).alive).toBe(true);
  });
});

describe('a client that does not read', () => {
  const big = `${'x'.repeat(1023)}\n`.repeat(64);
  const rounds = (CLIENT_QUEUE_BYTES / big.length) * 3;

  it('neither stalls the container nor other clients, and loses nothing', async () => {
    const id = await create({ Tty: true });
    const slow = await attach(id, {}, false);
    const quick = await attach(id);
    await engine.containers.start(id);
    const process = machine.runtime.of(id);
    for (let round = 0; round < rounds; round++) {
      process.write(`${round}\n${big}`);
      await settle();
    }
    process.write('last\n');
    process.end(0);
    await quick.ended;
    expect(slow.server.writableLength).toBeLessThan(CLIENT_QUEUE_BYTES * 1.2);
    const chunks: Buffer[] = [];
    slow.client.on('data', (chunk: Buffer) => chunks.push(chunk));
    await slow.ended;
    expect(Buffer.concat(chunks).equals(quick.received())).toBe(true);
  });

  it('does not keep the container from ending', async () => {
    const id = await create();
    await attach(id, {}, false);
    await engine.containers.start(id);
    const { result } = await engine.containers.wait(id, 'next-exit', never);
    machine.runtime.of(id).write(big.repeat(rounds));
    machine.runtime.of(id).end(0);
    expect((await result).StatusCode).toBe(0);
  });
});

describe('input', () => {
  it('waits for the start, and its end is the end of the process input', async () => {
    const id = await create({ OpenStdin: true, StdinOnce: true });
    const { client, received, ended } = await attach(id);
    client.write('hello ');
    client.end('world');
    await engine.containers.start(id);
    const process = machine.runtime.of(id);
    await inputOf(process, 'hello world');
    await settle();
    expect(process.inputEnded).toBe(true);
    process.write('answer');
    process.end(0);
    await ended;
    expect(framesOf(received()).stdout).toBe('answer');
  });

  it('does not end with its client when others may attach', async () => {
    const id = await create({ OpenStdin: true });
    await engine.containers.start(id);
    const { client, bound } = await attach(id);
    client.end('a');
    await bound;
    expect(machine.runtime.of(id)).toMatchObject({ input: 'a', inputEnded: false, alive: true });
  });

  it('is ignored by a container without an open stdin', async () => {
    const id = await create();
    await engine.containers.start(id);
    const { client, ended } = await attach(id);
    client.end('a');
    await settle();
    machine.runtime.of(id).end(0);
    await ended;
    expect(machine.runtime.of(id).input).toBe('');
  });

  it('detaches on the key sequence, and the container goes on', async () => {
    const id = await create({ OpenStdin: true, Tty: true });
    await engine.containers.start(id);
    const { client, bound, ended } = await attach(id, { detachKeys: 'ctrl-a,d' });
    client.write('ls\x01x\x01');
    client.write('d');
    await Promise.all([bound, ended]);
    expect(machine.runtime.of(id)).toMatchObject({ input: 'ls\x01x', alive: true });
  });

  it('refuses keys that are none', async () => {
    const id = await create({ Tty: true });
    await expect(engine.containers.attach(id, { ...everything, detachKeys: 'ctrl-11' })).rejects.toMatchObject({
      kind: 'invalid',
    });
  });
});

describe('logs', () => {
  const read = async (id: string, query: object = {}) => {
    const { entries } = await engine.containers.logs(id, {
      stdout: true,
      stderr: true,
      follow: false,
      tail: 'all',
      signal: never,
      ...query,
    });
    const lines: string[] = [];
    for await (const { line } of entries) lines.push(line.toString());
    return lines;
  };

  it('hold every line of the streams asked for', async () => {
    const id = await create();
    expect(await read(id)).toEqual([]);
    await engine.containers.start(id);
    machine.runtime.of(id).write('a\nb\n');
    machine.runtime.of(id).write('c\n', 'stderr');
    expect(await read(id)).toEqual(['a\n', 'b\n', 'c\n']);
    expect(await read(id, { stdout: false })).toEqual(['c\n']);
    expect(await read(id, { tail: 1 })).toEqual(['c\n']);
    await expect(read(id, { stdout: false, stderr: false })).rejects.toThrow('you must choose at least one stream');
  });

  it('are followed to the end of the container', async () => {
    const id = await create();
    await engine.containers.start(id);
    const reading = read(id, { follow: true });
    machine.runtime.of(id).write('a\n');
    await settle();
    machine.runtime.of(id).write('b\n');
    machine.runtime.of(id).end(0);
    expect(await reading).toEqual(['a\n', 'b\n']);
  });

  it('are whole even if the container goes away at its end', async () => {
    const id = await create({ HostConfig: { AutoRemove: true } });
    await engine.containers.start(id);
    const reading = read(id, { follow: true });
    machine.runtime.of(id).write('a\n');
    machine.runtime.of(id).end(0);
    expect(await reading).toEqual(['a\n']);
  });
});

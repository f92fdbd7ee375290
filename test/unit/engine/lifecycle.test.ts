import { beforeEach, describe, expect, it } from 'vitest';
import type { ContainerCreateBody, EventMessage } from '../../../src/api/contract/index.ts';
import type { Engine } from '../../../src/engine/index.ts';
import { BerthError } from '../../../src/errors/index.ts';
import { FakeMachine } from '../../support/engine-fakes.ts';

const never = new AbortController().signal;

let machine: FakeMachine;
let engine: Engine;

beforeEach(async () => {
  machine = new FakeMachine();
  engine = await machine.engine();
});

async function create(body: ContainerCreateBody = {}, name?: string): Promise<string> {
  return (await engine.containers.create(name, { Image: 'box', ...body })).Id;
}

async function running(body: ContainerCreateBody = {}): Promise<string> {
  const id = await create(body);
  await engine.containers.start(id);
  return id;
}

const stateOf = async (id: string) => (await engine.containers.inspect(id, { size: false })).State;

/** Actions of the events while `work` runs. */
async function actionsOf(work: () => Promise<unknown>): Promise<string[]> {
  const listening = new AbortController();
  const actions: string[] = [];
  const events = engine.events.subscribe({ filters: new Map(), signal: listening.signal });
  const reading = (async () => {
    for await (const { Action } of events) actions.push(Action);
  })();
  await work();
  await Promise.resolve();
  listening.abort();
  await reading;
  return actions;
}

describe('the life of a container', () => {
  it('goes from created over running to exited, and every step is on disk', async () => {
    const id = await create();
    const persisted = () => JSON.parse(machine.store.documents.get(id) ?? '{}').state.status;
    expect((await stateOf(id)).Status).toBe('created');
    expect(persisted()).toBe('created');
    await engine.containers.start(id);
    expect(await stateOf(id)).toMatchObject({ Status: 'running', Running: true, Pid: 101 });
    expect(persisted()).toBe('running');
    const { result } = await engine.containers.wait(id, 'next-exit', never);
    machine.runtime.of(id).end(3);
    expect(await result).toEqual({ StatusCode: 3, Error: null });
    expect(await stateOf(id)).toMatchObject({
      Status: 'exited',
      ExitCode: 3,
      Pid: 0,
      FinishedAt: '2026-01-01T00:00:09Z',
    });
    expect(persisted()).toBe('exited');
  });

  it('unmounts the root and makes the runtime forget it when it has exited', async () => {
    const id = await running();
    expect(machine.snapshots.mounted).toContain(id);
    machine.runtime.of(id).end(0);
    await (await engine.containers.wait(id, 'not-running', never)).result;
    await engine.containers.rename(id, 'after-clean-up');
    expect(machine.snapshots.mounted).not.toContain(id);
    expect(machine.runtime.calls).toEqual(['create', 'attach', 'start', 'delete']);
  });

  it('says when the kernel killed it for want of memory', async () => {
    const id = await running();
    machine.runtime.of(id).end(137, true);
    await (await engine.containers.wait(id, 'not-running', never)).result;
    expect(await stateOf(id)).toMatchObject({ OOMKilled: true, ExitCode: 137 });
  });

  it('publishes what happens, in order', async () => {
    const actions = await actionsOf(async () => {
      const id = await create();
      await engine.containers.start(id);
      const { result } = await engine.containers.wait(id, 'not-running', never);
      machine.runtime.of(id).end(0);
      await result;
      await engine.containers.remove(id, { force: false, volumes: false });
    });
    expect(actions).toEqual(['create', 'connect', 'start', 'die', 'disconnect', 'destroy']);
  });

  it('takes at most three state writes for run --rm', async () => {
    machine.runtime.program = (process) => process.end(0);
    // The first container of the default network makes it.
    await engine.networks.inspect('bridge');
    machine.store.writes = 0;
    const id = await create({ HostConfig: { AutoRemove: true } });
    const { result } = await engine.containers.wait(id, 'removed', never);
    await engine.containers.start(id);
    expect(await result).toEqual({ StatusCode: 0, Error: null });
    expect(machine.store.writes).toBe(3);
    expect(machine.store.containers).toBe(0);
    expect(machine.snapshots.layers.size).toBe(0);
  });

  it('reports the exit of a container that goes away before it is gone', async () => {
    const id = await running({ HostConfig: { AutoRemove: true } });
    const { result } = await engine.containers.wait(id, 'next-exit', never);
    machine.runtime.of(id).end(4);
    expect((await result).StatusCode).toBe(4);
  });
});

describe('start', () => {
  it('of a running container changes nothing', async () => {
    const id = await running();
    await expect(engine.containers.start(id)).rejects.toMatchObject({ kind: 'not-modified' });
  });

  it('runs once when it is asked for twice at the same time', async () => {
    const id = await create();
    const results = await Promise.allSettled([engine.containers.start(id), engine.containers.start(id)]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(machine.runtime.calls.filter((call) => call === 'start')).toHaveLength(1);
  });

  it.each([
    ['not-found', 'nosuch', 127, 'exec: "nosuch": executable file not found in $PATH'],
    ['not-found', '/bin/nosuch', 127, 'exec: "/bin/nosuch": stat /bin/nosuch: no such file or directory'],
    ['forbidden', '/etc/passwd', 126, 'exec: "/etc/passwd": permission denied'],
  ] as const)(
    'of a command that is %s leaves the container created, with its exit code',
    async (kind, command, code, text) => {
      machine.runtime.createFailure = new BerthError(kind, 'what the runtime says');
      const id = await create({ Cmd: [command] });
      await expect(engine.containers.start(id)).rejects.toMatchObject({
        kind: 'invalid',
        message: expect.stringContaining(text),
      });
      expect(await stateOf(id)).toMatchObject({
        Status: 'created',
        ExitCode: code,
        Error: expect.stringContaining(text),
      });
      expect(machine.snapshots.mounted.size).toBe(0);
    },
  );

  it('that fails for another reason gives 128 and can be tried again', async () => {
    machine.snapshots.mountFailure = new BerthError('not-found', 'no such layer');
    const id = await create();
    await expect(engine.containers.start(id)).rejects.toMatchObject({ kind: 'not-found' });
    expect((await stateOf(id)).ExitCode).toBe(128);
    machine.snapshots.mountFailure = undefined;
    await engine.containers.start(id);
    expect(await stateOf(id)).toMatchObject({ Status: 'running', ExitCode: 0, Error: '' });
  });

  it('that fails removes a container that was to go away, and tells who waits', async () => {
    machine.runtime.createFailure = new BerthError('not-found', 'x');
    const id = await create({ HostConfig: { AutoRemove: true } });
    const { result } = await engine.containers.wait(id, 'removed', never);
    await expect(engine.containers.start(id)).rejects.toMatchObject({ kind: 'invalid' });
    expect((await result).StatusCode).toBe(127);
    await expect(engine.containers.inspect(id, { size: false })).rejects.toMatchObject({ kind: 'not-found' });
    expect(machine.snapshots.layers.size).toBe(0);
  });

  it('kills the process again when its state cannot be written', async () => {
    const id = await create();
    machine.runtime.program = () => {
      machine.store.writeFailure = Object.assign(new Error('full'), { code: 'ENOSPC' });
    };
    await expect(engine.containers.start(id)).rejects.toMatchObject({ kind: 'exhausted' });
    expect(machine.runtime.of(id).alive).toBe(false);
    expect(engine.busy()).toBe(false);
  });
});

describe('stop, kill and restart', () => {
  it('sends the stop signal of the container and waits for the end', async () => {
    const id = await running({ StopSignal: 'SIGINT' });
    const process = machine.runtime.of(id);
    process.onSignal = (signal) => process.end(signal);
    const actions = await actionsOf(() => engine.containers.stop(id, {}));
    expect(process.signals).toEqual([2]);
    expect(actions).toEqual(['kill', 'die', 'disconnect', 'stop']);
    expect((await stateOf(id)).Status).toBe('exited');
  });

  it('kills what does not stop in time', async () => {
    const id = await running();
    await engine.containers.stop(id, { timeoutSeconds: 0 });
    expect(machine.runtime.of(id).signals).toEqual([15, 9]);
    expect((await stateOf(id)).ExitCode).toBe(137);
  });

  it('of a stopped container changes nothing', async () => {
    const id = await create();
    await expect(engine.containers.stop(id, {})).rejects.toMatchObject({ kind: 'not-modified' });
  });

  it('waits for a start that is under way', async () => {
    const id = await create();
    const gate = Promise.withResolvers<void>();
    machine.runtime.gate = gate.promise;
    const starting = engine.containers.start(id);
    const stopping = engine.containers.stop(id, { timeoutSeconds: 0 });
    gate.resolve();
    await Promise.all([starting, stopping]);
    expect((await stateOf(id)).Status).toBe('exited');
  });

  it('can be overtaken by a kill', async () => {
    const id = await running();
    const stopping = engine.containers.stop(id, { timeoutSeconds: -1 });
    await engine.containers.kill(id, 'KILL');
    await stopping;
    expect(machine.runtime.of(id).signals).toEqual([15, 9]);
  });

  it.each(['SIGUSR1', 'usr1', '10'])('understands %s', async (signal) => {
    const id = await running();
    await engine.containers.kill(id, signal);
    expect(machine.runtime.of(id).signals).toEqual([10]);
  });

  it('knows realtime signals and refuses those that are none', async () => {
    const id = await running();
    await engine.containers.kill(id, 'SIGRTMIN+3');
    expect(machine.runtime.of(id).signals).toEqual([37]);
    await expect(engine.containers.kill(id, 'SIGNOPE')).rejects.toThrow('invalid signal: SIGNOPE');
  });

  it('cannot kill what does not run', async () => {
    const id = await create();
    await expect(engine.containers.kill(id, 'KILL')).rejects.toMatchObject({
      kind: 'conflict',
      message: `cannot kill container: ${id}: container is not running`,
    });
  });

  it('keeps a container that goes away at its end through a restart', async () => {
    const id = await running({ HostConfig: { AutoRemove: true } });
    await engine.containers.restart(id, { timeoutSeconds: 0 });
    expect(await stateOf(id)).toMatchObject({ Status: 'running', Pid: 102 });
  });
});

describe('remove', () => {
  it('refuses a running container and leaves it alone', async () => {
    const id = await running({});
    await expect(engine.containers.remove(id, { force: false, volumes: false })).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringMatching(
        /^cannot remove container "\/\w+": container is running: stop the container before/,
      ),
    });
    expect((await stateOf(id)).Status).toBe('running');
  });

  it('kills it by force; nothing stays', async () => {
    const id = await running();
    const { result } = await engine.containers.wait(id, 'removed', never);
    const actions = await actionsOf(() => engine.containers.remove(id, { force: true, volumes: false }));
    expect(actions).toEqual(['die', 'disconnect', 'destroy']);
    expect((await result).StatusCode).toBe(137);
    expect([machine.snapshots.layers.size, machine.store.containers]).toEqual([0, 0]);
  });

  it('by force and a container that goes away by itself are one removal', async () => {
    const id = await running({ HostConfig: { AutoRemove: true } });
    const actions = await actionsOf(() => engine.containers.remove(id, { force: true, volumes: false }));
    expect(actions).toEqual(['die', 'disconnect', 'destroy']);
  });

  it('wins over a start that was asked for at the same time', async () => {
    const id = await create();
    const results = await Promise.allSettled([
      engine.containers.remove(id, { force: false, volumes: false }),
      engine.containers.start(id),
    ]);
    expect(results).toMatchObject([{ status: 'fulfilled' }, { status: 'rejected', reason: { kind: 'not-found' } }]);
    expect(machine.runtime.calls).not.toContain('create');
  });
});

describe('wait', () => {
  it('for a container that does not run answers at once', async () => {
    const id = await create();
    const { result } = await engine.containers.wait(id, 'not-running', never);
    expect(await result).toEqual({ StatusCode: 0, Error: null });
  });

  it('keeps the engine from leaving, until its client goes', async () => {
    const id = await create();
    expect(engine.busy()).toBe(false);
    const client = new AbortController();
    const { result } = await engine.containers.wait(id, 'next-exit', client.signal);
    expect(engine.busy()).toBe(true);
    client.abort();
    await expect(result).rejects.toMatchObject({ kind: 'cancelled' });
    expect(engine.busy()).toBe(false);
  });
});

describe('events', () => {
  it('replays the kept ones since a time, and ends at a time that has passed', async () => {
    const id = await create({ Labels: { team: 'a' } }, 'web');
    machine.clock.ms += 5000;
    await engine.containers.start(id);
    machine.clock.ms += 1;
    const seen: EventMessage[] = [];
    const options = { since: machine.clock.ms - 3000, until: machine.clock.ms, filters: new Map(), signal: never };
    for await (const event of engine.events.subscribe(options)) seen.push(event);
    expect(seen).toMatchObject([
      { Type: 'network', Action: 'connect', Actor: { Attributes: { name: 'bridge', container: id } } },
      { Type: 'container', Action: 'start', Actor: { ID: id, Attributes: { name: 'web', image: 'box', team: 'a' } } },
    ]);
  });

  it.each([
    ['event', ['die'], ['die']],
    ['container', ['web'], ['create', 'start', 'die']],
    ['container', ['other'], []],
    ['image', ['box'], ['create', 'start', 'die']],
    ['type', ['volume'], []],
    ['label', ['team=a'], ['create', 'start', 'die']],
    ['label', ['team=a', 'none'], []],
  ])('filter %s=%s', async (key, values, actions) => {
    const id = await create({ Labels: { team: 'a' } }, 'web');
    await engine.containers.start(id);
    const { result } = await engine.containers.wait(id, 'not-running', never);
    machine.runtime.of(id).end(0);
    await result;
    const seen: string[] = [];
    const filters = new Map([[key, values]]);
    const options = { since: 0, until: machine.clock.ms, filters, signal: never };
    for await (const { Action } of engine.events.subscribe(options)) seen.push(Action);
    expect(seen).toEqual(actions);
  });

  it('refuses a filter that it does not know', () => {
    expect(() => engine.events.subscribe({ filters: new Map([['colour', ['red']]]), signal: never })).toThrow(
      "invalid filter 'colour'",
    );
  });

  it('ends with the engine', async () => {
    const events = engine.events.subscribe({ filters: new Map(), signal: never });
    await engine.close();
    expect(await events[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
  });
});

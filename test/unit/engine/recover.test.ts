import { beforeEach, describe, expect, it } from 'vitest';
import type { ContainerCreateBody } from '../../../src/api/contract/index.ts';
import { createEngine, type Engine } from '../../../src/engine/index.ts';
import { connectClient, framesOf } from '../../support/client-connection.ts';
import { FakeMachine } from '../../support/engine-fakes.ts';

const never = new AbortController().signal;

let machine: FakeMachine;
let engine: Engine;

beforeEach(async () => {
  machine = new FakeMachine();
  engine = await machine.engine();
});

async function running(body: ContainerCreateBody = {}): Promise<string> {
  const { Id } = await engine.containers.create('web', { Image: 'box', ...body });
  await engine.containers.start(Id);
  return Id;
}

const stateOf = async (id: string) => (await engine.containers.inspect(id, { size: false })).State;

/** The engine is killed; what happens before the next one starts is the test's business. */
async function restart(meanwhile: () => void = () => undefined): Promise<void> {
  machine.kill();
  machine.runtime.calls.length = 0;
  meanwhile();
  engine = await machine.engine();
}

describe('after a restart', () => {
  it('a container that runs is watched again', async () => {
    const id = await running();
    await restart();
    expect(await stateOf(id)).toMatchObject({ Status: 'running', Pid: 101 });
    expect([engine.busy(), [...engine.liveContainerIds()]]).toEqual([true, [id]]);
    const { result } = await engine.containers.wait(id, 'not-running', never);
    machine.runtime.of(id).end(5);
    expect((await result).StatusCode).toBe(5);
  });

  it('its output can be attached to again', async () => {
    const id = await running();
    machine.runtime.of(id).pipe.end();
    await restart();
    const { server, received, ended } = connectClient();
    const query = { stdin: false, stdout: true, stderr: true, stream: true, logs: true };
    const bound = (await engine.containers.attach(id, query)).bind(server);
    machine.runtime.of(id).write('again\n');
    machine.runtime.of(id).end(0);
    await Promise.all([bound, ended]);
    expect(framesOf(received()).stdout).toBe('again\n');
  });

  it('an end that nobody saw is recorded, and cleaned up after', async () => {
    const id = await running();
    await restart(() => machine.runtime.of(id).end(42));
    expect(await stateOf(id)).toMatchObject({ Status: 'exited', ExitCode: 42, FinishedAt: '2026-01-01T00:00:09Z' });
    expect(machine.snapshots.mounted.size).toBe(0);
    expect(machine.runtime.calls).toEqual(['delete']);
    expect(engine.busy()).toBe(false);
  });

  it('a container that was to go away at its end is gone', async () => {
    const id = await running({ HostConfig: { AutoRemove: true } });
    await restart(() => machine.runtime.of(id).end(0));
    expect([machine.store.containers, machine.snapshots.layers.size]).toEqual([0, 0]);
    await engine.containers.create('web', { Image: 'box' });
  });

  it('one that still runs goes away at its end', async () => {
    const id = await running({ HostConfig: { AutoRemove: true } });
    await restart();
    const { result } = await engine.containers.wait(id, 'removed', never);
    machine.runtime.of(id).end(0);
    await result;
    expect(machine.store.containers).toBe(0);
  });

  it('a start that was cut off is undone', async () => {
    const { Id } = await engine.containers.create('web', { Image: 'box' });
    machine.runtime.gate = new Promise(() => undefined);
    engine.containers.start(Id).catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    expect(machine.snapshots.mounted).toContain(Id);
    await restart();
    expect((await stateOf(Id)).Status).toBe('created');
    expect(machine.snapshots.mounted.size).toBe(0);
    expect(machine.runtime.calls).toEqual(['delete']);
    await restart();
    expect(machine.runtime.calls).toEqual([]);
  });

  it('a removal that was cut off is finished', async () => {
    const { Id } = await engine.containers.create('web', { Image: 'box' });
    machine.store.remove = () => new Promise(() => undefined);
    engine.containers.remove(Id, { force: false, volumes: false }).catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    Reflect.deleteProperty(machine.store, 'remove');
    await restart();
    expect(machine.store.containers).toBe(0);
  });

  it('containers that were made halfway are gone', async () => {
    const { Id } = await engine.containers.create('web', { Image: 'box' });
    machine.snapshots.layers.add('without-record');
    await restart(() => machine.snapshots.layers.delete(Id));
    expect([machine.store.containers, machine.snapshots.layers.size]).toEqual([0, 0]);
  });

  it('a damaged record does not keep the others from being served', async () => {
    const id = await running();
    await restart(() => {
      machine.store.documents.set('broken', '{');
      machine.snapshots.layers.add('broken');
    });
    expect((await stateOf(id)).Status).toBe('running');
    expect(machine.snapshots.layers).toContain('broken');
  });

  it('names are still taken', async () => {
    await running();
    await restart();
    await expect(engine.containers.create('web', { Image: 'box' })).rejects.toMatchObject({ kind: 'conflict' });
  });

  it('what has to stay is known before anything is touched', async () => {
    const id = await running();
    machine.kill();
    machine.runtime.of(id).end(1);
    const next = await createEngine(machine.ports);
    expect([...next.liveContainerIds()]).toEqual([id]);
    expect(machine.snapshots.mounted).toContain(id);
  });
});

describe('close', () => {
  it('leaves containers running and ends their clients', async () => {
    const id = await running();
    const { server, ended } = connectClient();
    const query = { stdin: false, stdout: true, stderr: true, stream: true, logs: false };
    const bound = (await engine.containers.attach(id, query)).bind(server);
    await engine.close();
    await Promise.all([bound, ended]);
    expect(machine.runtime.of(id).alive).toBe(true);
    expect(JSON.parse(machine.store.documents.get(id)!).state.status).toBe('running');
    await expect(engine.containers.remove(id, { force: true, volumes: false })).rejects.toMatchObject({
      kind: 'unavailable',
    });
  });
});

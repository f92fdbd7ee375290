import { beforeEach, describe, expect, it } from 'vitest';
import type { ContainerCreateBody, StatsBody } from '../../../src/api/contract/index.ts';
import type { Engine } from '../../../src/engine/index.ts';
import { BerthError } from '../../../src/errors/index.ts';
import { FakeMachine } from '../../support/engine-fakes.ts';

const MIB = 1024 ** 2;
const never = new AbortController().signal;

let machine: FakeMachine;
let engine: Engine;

beforeEach(async () => {
  machine = new FakeMachine();
  engine = await machine.engine();
});

async function running(body: ContainerCreateBody = {}): Promise<string> {
  const { Id } = await engine.containers.create(undefined, { Image: 'box', ...body });
  await engine.containers.start(Id);
  return Id;
}

const inspect = (id: string) => engine.containers.inspect(id, { size: false });
const statusOf = async (id: string) => (await inspect(id)).State.Status;

describe('pausing', () => {
  it('stands still, and goes on', async () => {
    const id = await running();
    await engine.containers.pause(id);
    expect((await inspect(id)).State).toMatchObject({ Status: 'paused', Paused: true, Running: true });
    await expect(engine.containers.pause(id)).rejects.toThrow(`Container ${id} is already paused`);
    await expect(engine.execs.create(id, { Cmd: ['true'] })).rejects.toThrow('is paused, unpause the container before');
    await engine.containers.unpause(id);
    expect(await statusOf(id)).toBe('running');
    await expect(engine.containers.unpause(id)).rejects.toMatchObject({ kind: 'conflict' });
    expect(machine.runtime.calls.slice(-2)).toEqual(['pause 101', 'resume 101']);
  });

  it('is for containers that run', async () => {
    const { Id } = await engine.containers.create(undefined, { Image: 'box' });
    await expect(engine.containers.pause(Id)).rejects.toThrow(`container ${Id} is not running`);
  });

  it('ends for a signal that is to end the container', async () => {
    for (const end of [
      (id: string) => engine.containers.stop(id, {}),
      (id: string) => engine.containers.kill(id, 'KILL'),
      (id: string) => engine.containers.remove(id, { force: true, volumes: false }),
    ]) {
      machine.runtime.program = (process) => {
        process.onSignal = () => process.end(1);
      };
      const id = await running();
      await engine.containers.pause(id);
      machine.runtime.calls.length = 0;
      await end(id);
      expect(machine.runtime.calls[0]).toMatch(/^resume/);
    }
  });

  it('goes on for a signal that means nothing to the image', async () => {
    const id = await running({ StopSignal: 'SIGQUIT' });
    await engine.containers.pause(id);
    await engine.containers.kill(id, 'USR1');
    expect(await statusOf(id)).toBe('paused');
  });

  it('makes a commit of one moment, unless told otherwise', async () => {
    const id = await running();
    machine.runtime.calls.length = 0;
    await engine.containers.commit(id, { changes: [], pause: true });
    expect(machine.runtime.calls).toEqual(['pause 101', 'resume 101']);
    await engine.containers.commit(id, { changes: [], pause: false });
    expect(machine.runtime.calls).toHaveLength(2);
    await engine.containers.pause(id);
    await engine.containers.commit(id, { changes: [], pause: true });
    expect(await statusOf(id)).toBe('paused');
  });
});

describe('changing limits', () => {
  const changes = () => machine.runtime.calls.filter((call) => call.startsWith('update'));

  it('tells the kernel all of them, and remembers', async () => {
    const id = await running({ HostConfig: { Memory: 100 * MIB, CpuShares: 512 } });
    await engine.containers.update(id, { NanoCpus: 5e8, PidsLimit: 10 });
    expect(JSON.parse(changes()[0]!.slice('update '.length))).toEqual({
      memoryBytes: 100 * MIB,
      memorySwapBytes: 200 * MIB,
      cpuShares: 512,
      cpuPeriod: 100_000,
      cpuQuota: 50_000,
      pids: 10,
    });
    expect((await inspect(id)).HostConfig).toMatchObject({ Memory: 100 * MIB, NanoCpus: 5e8, PidsLimit: 10 });
    engine = await machine.engine();
    expect((await inspect(id)).HostConfig).toMatchObject({ NanoCpus: 5e8 });
  });

  it('is good for a container that does not run', async () => {
    const { Id } = await engine.containers.create(undefined, { Image: 'box' });
    await engine.containers.update(Id, { Memory: 64 * MIB });
    expect(changes()).toEqual([]);
    await engine.containers.start(Id);
    expect(machine.runtime.of(Id).spec).toMatchObject({
      limits: { memoryBytes: 64 * MIB, memorySwapBytes: 128 * MIB },
    });
  });

  it('does not tell again what this host cannot keep', async () => {
    const id = await running({ HostConfig: { KernelMemory: 64 * MIB } });
    expect(await engine.containers.update(id, { CpuShares: 100 })).toEqual({ Warnings: [] });
  });

  it('takes a limit of processes back', async () => {
    const id = await running({ HostConfig: { PidsLimit: 10 } });
    await engine.containers.update(id, { PidsLimit: -1 });
    expect(changes()).toEqual(['update {"pids":-1}']);
  });

  it.each([
    [{ Memory: 300 * MIB }, { Memory: 100 * MIB }, 'Memory limit should be smaller than already set memoryswap limit'],
    [{ NanoCpus: 1e9 }, { CpuQuota: 5000 }, 'Nano CPUs cannot be updated as CPU Quota has already been set'],
    [{ CpuPeriod: 5000 }, { NanoCpus: 1e9 }, 'CPU Period cannot be updated as NanoCPUs has already been set'],
    [{ Memory: 1 }, {}, 'Minimum memory limit allowed is 6MB'],
    [{ RestartPolicy: { Name: 'always' } }, {}, '--restart is not there yet'],
  ])('refuses %j of one with %j', async (change, before, message) => {
    const id = await running({ HostConfig: before });
    await expect(engine.containers.update(id, change)).rejects.toThrow(message);
    expect(changes()).toEqual([]);
  });

  it('keeps what it had when the kernel refuses', async () => {
    const id = await running();
    machine.runtime.updateFailure = new BerthError('invalid', 'crun update failed: Device or resource busy');
    await expect(engine.containers.update(id, { Memory: 64 * MIB })).rejects.toThrow('resource busy');
    expect((await inspect(id)).HostConfig['Memory'] ?? 0).toBe(0);
  });
});

describe('statistics', () => {
  async function samples(id: string, options: { stream?: boolean; oneShot?: boolean; signal?: AbortSignal }) {
    const bodies: StatsBody[] = [];
    const all = await engine.containers.stats(id, { stream: false, oneShot: false, signal: never, ...options });
    for await (const body of all) bodies.push(body);
    return bodies;
  }

  it('tell one sample at once', async () => {
    const id = await running();
    machine.runtime.used = {
      ...machine.runtime.used,
      memory: { usage: 5, limit: 10, stats: { anon: 3 } },
      interfaces: {
        eth0: {
          rxBytes: 1,
          rxPackets: 2,
          rxErrors: 0,
          rxDropped: 0,
          txBytes: 3,
          txPackets: 4,
          txErrors: 0,
          txDropped: 0,
        },
      },
    };
    const [body, ...more] = await samples(id, { oneShot: true });
    expect(more).toEqual([]);
    expect(body).toMatchObject({
      id,
      read: '2026-01-01T00:00:00Z',
      preread: '0001-01-01T00:00:00Z',
      memory_stats: { usage: 5, limit: 10, stats: { anon: 3 } },
      networks: { eth0: { rx_bytes: 1, rx_packets: 2, tx_bytes: 3, tx_packets: 4 } },
      cpu_stats: { system_cpu_usage: 1e12, online_cpus: 2 },
    });
  });

  it('compare with the sample before, unless told otherwise', async () => {
    const [body] = await samples(await running(), {});
    expect(body?.precpu_stats).toEqual(body?.cpu_stats);
    expect(body?.memory_stats.limit).toBe(8 * 1024 ** 3);
  });

  it('end with the container', async () => {
    const id = await running();
    const all = await engine.containers.stats(id, { stream: true, oneShot: false, signal: never });
    const { result } = await engine.containers.wait(id, 'next-exit', never);
    let count = 0;
    for await (const _ of all) {
      count++;
      machine.runtime.of(id).end(0);
      await result;
    }
    expect(count).toBe(1);
  });

  it('are empty for one that does not run', async () => {
    const { Id } = await engine.containers.create('idle', { Image: 'box' });
    const bodies = await samples(Id, { stream: true });
    expect(bodies).toMatchObject([{ name: '/idle', read: '0001-01-01T00:00:00Z', memory_stats: {} }]);
    await expect(samples('gone', {})).rejects.toMatchObject({ kind: 'not-found' });
  });
});

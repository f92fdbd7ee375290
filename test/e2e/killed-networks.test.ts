import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineRequest } from '../support/engine-request.ts';
import { Host, until } from '../support/host.ts';
import { hostRules, linksOf, networkMarks } from '../support/network-marks.ts';

const run = promisify(execFile);
/** Engines that are killed side by side, so that the machine is never idle. */
const ENGINES = 2;
const KILLS = 100 / ENGINES;
/** Most of what is under way is over by then. */
const LATEST_KILL_MS = 350;
/** The kernel takes interfaces away some time after their namespace. */
const SETTLE_MS = 20_000;

interface Running {
  readonly Id: string;
  readonly Name: string;
  readonly State: { readonly Pid: number };
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>;
    readonly Ports: Readonly<Record<string, readonly { readonly HostPort: string }[] | null>>;
  };
}

describe.concurrent.each(Array.from({ length: ENGINES }, (_, at) => at))(
  'kill -9 of engine %i while containers join and leave networks',
  (at) => {
    const host = new Host();
    const firstPort = 38300 + at * 10;
    const ports = [firstPort, firstPort + 1] as const;
    const marks = networkMarks(host.root);
    const ask = (method: string, path: string, body?: unknown) =>
      engineRequest(host.socket, method, `/v1.47${path}`, body);
    const ok = (line: string) => host.ok(line.split(' '));
    const answer = async (port: number) =>
      (await (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(SETTLE_MS) })).text()).trim();

    beforeAll(async () => {
      await host.importBase('busybox');
      await ok(`network create --subnet 10.91.${20 + at}.0/24 first`);
      await ok(`network create --subnet 10.91.${30 + at}.0/24 second`);
      for (const [name, port] of [
        ['one', ports[0]],
        ['two', ports[1]],
      ] as const) {
        const serve = ['sh', '-c', `echo ${name} > /tmp/index.html; exec httpd -f -h /tmp`];
        await host.ok(['run', '-d', '--name', name, '--network', 'first', '-p', `${port}:80`, 'busybox', ...serve]);
        await until(async () => (await answer(port)) === name);
      }
      await ok('network connect second two');
    });
    afterAll(() => host.dispose());

    /** Does things with a container of its own until the engine is gone. What it says that is its own fault is noted. */
    async function trouble(name: string, port: number, faults: string[]): Promise<void> {
      const body = {
        Image: 'busybox',
        Cmd: ['sleep', '1000'],
        HostConfig: { NetworkMode: 'first', PortBindings: { '80/tcp': [{ HostPort: String(port) }] } },
      };
      const steps = [
        () => ask('POST', `/containers/create?name=${name}`, body),
        () => ask('POST', `/containers/${name}/start`),
        () => ask('POST', '/networks/second/connect', { Container: name }),
        () => ask('POST', `/containers/${name}/kill`),
        () => ask('POST', `/containers/${name}/start`),
        () => ask('POST', '/networks/second/disconnect', { Container: name }),
        () => ask('DELETE', `/containers/${name}?force=1`),
        () => ask('POST', '/networks/create', { Name: `net-${name}` }),
        () => ask('POST', `/networks/net-${name}/connect`, { Container: 'two' }),
        () => ask('POST', `/networks/net-${name}/disconnect`, { Container: 'two' }),
        () => ask('DELETE', `/networks/net-${name}`),
      ];
      for (let at = Math.floor(Math.random() * steps.length); ; at = (at + 1) % steps.length) {
        const reply = await steps[at]!().catch(() => undefined);
        if (!reply) return;
        if (reply.status >= 500) faults.push(`${name}, step ${at}: ${JSON.stringify(reply)}`);
      }
    }

    async function running(): Promise<readonly Running[]> {
      const list = (await ask('GET', '/containers/json')).body as readonly { readonly Id: string }[];
      return await Promise.all(
        list.map(async ({ Id }) => (await ask('GET', `/containers/${Id}/json`)).body as Running),
      );
    }

    /** Address by network, as the engine says it and as the container has it. */
    async function addresses({ NetworkSettings, State }: Running): Promise<{ said: string[]; had: string[] }> {
      const ip = ['-j', '-4', 'addr', 'show', 'scope', 'global'];
      const { stdout } = await run('nsenter', [`--net=/proc/${State.Pid}/ns/net`, 'ip', ...ip]);
      const links = JSON.parse(stdout) as readonly { readonly addr_info?: readonly { readonly local: string }[] }[];
      return {
        said: Object.values(NetworkSettings.Networks)
          .map(({ IPAddress }) => IPAddress)
          .sort(),
        had: links.flatMap(({ addr_info: list = [] }) => list.map(({ local }) => local)).sort(),
      };
    }

    /** What is there, beside what should be. Empty when all is well. */
    async function wrong(): Promise<readonly string[]> {
      const containers = await running();
      const found: string[] = [];
      const expectSame = (what: string, is: readonly string[], should: readonly string[]) => {
        if (is.toSorted().join() !== should.toSorted().join()) found.push(`${what}: ${is} instead of ${should}`);
      };
      const all = await Promise.all(containers.map(addresses));
      for (const [at, { said, had }] of all.entries()) expectSame(`addresses of ${containers[at]!.Name}`, had, said);
      const given = all.flatMap(({ had }) => had);
      expectSame('addresses given twice', given, [...new Set(given)]);

      const links = linksOf(marks);
      const bridges = links.filter(({ ifname }) => ifname.startsWith('br-')).map(({ ifname }) => ifname);
      const networks = (await ask('GET', '/networks')).body as readonly { readonly Id: string }[];
      const known = new Set(networks.map(({ Id }) => `br-${Id.slice(0, 12)}`));
      expectSame(
        'bridges of no network',
        bridges.filter((bridge) => !known.has(bridge)),
        [],
      );
      const veths = links.filter(({ ifname }) => ifname.startsWith('veth'));
      expectSame('interfaces', [String(veths.length)], [String(given.length)]);
      expectSame(
        'interfaces outside of bridges',
        veths.filter(({ master }) => !master).map(({ ifname }) => ifname),
        [],
      );

      const rules = hostRules();
      const table = new RegExp(`^table inet ${marks.table} \\{$[\\s\\S]*?^\\}$`, 'm').exec(rules)?.[0] ?? '';
      expectSame(
        'rules of bridges',
        [...table.matchAll(/chain leaving_(\S+)/g)].map(([, name]) => name!),
        bridges,
      );
      const ports = [...table.matchAll(/tcp \. (383\d\d) : ([\d.]+) \. 80/g)].map(([, port]) => port!);
      const published = containers.flatMap(
        ({ NetworkSettings: { Ports } }) => (Ports['80/tcp'] ?? [])[0]?.HostPort ?? [],
      );
      expectSame('rules of ports', ports, published);

      const engine = host.enginePid()!;
      const mounts = readFileSync(`/proc/${engine}/mountinfo`, 'utf8').split('\n');
      const roots = mounts.filter((line) => line.includes(`${host.root}/layout-v1/roots/`));
      expectSame('mounts', [String(roots.length)], [String(containers.length)]);
      const supervisors = supervisorsOf(host.runRoot).length;
      expectSame('supervisors', [String(supervisors)], [String(containers.length)]);
      const pinned = readFileSync('/proc/1/mountinfo', 'utf8').match(/ - nsfs /g) ?? [];
      expectSame('pinned namespaces', [String(pinned.length)], ['0']);
      return found;
    }

    it(`leaves nothing, and keeps what runs, at ${KILLS} random moments`, async () => {
      const faults: string[] = [];
      const pids = new Map((await running()).map(({ Name, State }) => [Name, State.Pid]));
      for (let round = 0; round < KILLS; round++) {
        const busy = [0, 1, 2, 3].map((number) => trouble(`box-${number}`, firstPort + 2 + number, faults));
        await delay(Math.random() * LATEST_KILL_MS);
        await host.killEngine();
        await Promise.all(busy);
        // Nobody is needed for what was there.
        expect(await Promise.all(ports.map(answer)), `round ${round}`).toEqual(['one', 'two']);
        await ok('version');
        let last: readonly string[] = [];
        await until(async () => {
          last = await wrong();
          return last.length === 0;
        }, SETTLE_MS).catch(() => undefined);
        expect(last, `round ${round}`).toEqual([]);
        expect(await Promise.all(ports.map(answer)), `round ${round}`).toEqual(['one', 'two']);
      }
      expect(faults).toEqual([]);
      const still = new Map((await running()).map(({ Name, State }) => [Name, State.Pid]));
      for (const [name, pid] of pids) expect(still.get(name)).toBe(pid);
    }, 300_000);
  },
);

/** Processes that supervise containers of an engine. */
function supervisorsOf(runRoot: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return (
          readlinkSync(`/proc/${pid}/exe`).endsWith('/conmon') &&
          readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(runRoot)
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}

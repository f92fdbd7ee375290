import { execFileSync } from 'node:child_process';
import { call as syscall } from '../src/linux/index.ts';
import { ipBytes, parseIp } from '../src/network/address/ip.ts';
import { openNetworkHost } from '../src/network/index.ts';
import { inNamespace, makeNamespace } from '../src/network/namespace/enter.ts';
import { linkNamed } from '../src/network/namespace/sandbox.ts';
import { addAddress } from '../src/network/netlink/addresses.ts';
import { changeLink, createVeth, deleteLink } from '../src/network/netlink/links.ts';
import { replaceRoute } from '../src/network/netlink/routes.ts';
import { NetlinkSocket } from '../src/network/netlink/socket.ts';
import type { Host } from '../test/support/host.ts';
import type { Peer } from '../test/support/peers.ts';
import { type Case, timeCommand, timeRun } from './measure.ts';

interface Places {
  readonly host: Host;
  readonly docker: Peer & { readonly socket: string };
  readonly pod: Peer;
  readonly rounds: number;
}

const BERTH_PORT = 38480;
const DOCKER_PORT = 38481;
const POD_PORT = 38482;
const LAN_HOST = '10.88.210.1';
const LAN = 'berth-bench';
/** What one transfer moves: 1 GiB. */
const SERVE = ['nc', '-ll', '-p', '80', '-e', 'dd', 'if=/dev/zero', 'bs=64k', 'count=16384'];
/** Reads all into one buffer: no client of ours may be slower than the way. */
const TAKE = `
  const [host, port] = process.argv.slice(1);
  let left = 2 ** 30;
  const onread = { buffer: Buffer.alloc(1 << 18), callback: (bytes) => ((left -= bytes), true) };
  require('node:net').connect({ host, port, onread }).on('close', () => process.exit(left === 0 ? 0 : 1));
`;
const AT_ONCE = 10;
/** Networks that are set up in a round: one alone takes less than the clock is worth. */
const SET_UPS = 20;

/** Containers on the default bridges, and what it costs to be there. */
export function networkBench({ host, docker, pod, rounds }: Places): {
  readonly cases: readonly Case[];
  prepare(): Promise<void>;
  dispose(): Promise<void>;
} {
  const few = Math.max(3, Math.round(rounds / 3));
  const podman = (args: readonly string[]) => timeCommand('podman', [...pod.prefix, ...args], pod.env);
  const podRun = () => podman(['run', '--rm', '--network', 'bridge', 'busybox', 'true']);
  const peers = ['dockerd', 'podman (whole command)'];
  const fetches = (address: string, around: readonly string[] = []) =>
    [
      ['berth', BERTH_PORT],
      ['dockerd', DOCKER_PORT],
      ['podman', POD_PORT],
    ].map(([name, port]) => ({
      name: String(name),
      run: () => {
        const [program = '', ...args] = [...around, process.execPath, '-e', TAKE, address, String(port)];
        return timeCommand(program, args);
      },
    }));
  const setUp = setUpContenders();
  const cases: readonly Case[] = [
    {
      name: 'run --rm busybox true on the default bridge: engine time from request to exit code',
      floor: peers,
      goal: 0.5,
      rounds,
      contenders: [
        { name: 'berth', run: () => timeRun(host.socket, 'busybox', 'bridge') },
        { name: 'dockerd', run: () => timeRun(docker.socket, 'busybox', 'bridge') },
        { name: 'podman (whole command)', run: podRun },
      ],
    },
    {
      name: `${AT_ONCE} of them at once`,
      floor: peers,
      goal: 0.4,
      rounds: few,
      contenders: [
        { name: 'berth', run: () => atOnce(() => timeRun(host.socket, 'busybox', 'bridge')) },
        { name: 'dockerd', run: () => atOnce(() => timeRun(docker.socket, 'busybox', 'bridge')) },
        { name: 'podman (whole command)', run: () => atOnce(podRun) },
      ],
    },
    {
      // dockerd's rules leave out 127.0.0.0/8: its proxy carries this, where ours are led by the kernel.
      name: 'published port: 1 GiB from a container by way of 127.0.0.1',
      floor: 'dockerd',
      goal: 1.11,
      rounds,
      contenders: fetches('127.0.0.1'),
    },
    {
      name: 'published port: 1 GiB from a container to a machine of the LAN (in a namespace)',
      floor: 'dockerd',
      goal: 1.11,
      rounds,
      contenders: fetches(LAN_HOST, ['ip', 'netns', 'exec', LAN]),
    },
    {
      name: `network of a container, ${SET_UPS} times: namespace, interface, address, route`,
      floor: 'bare netlink calls',
      goal: 2,
      rounds,
      contenders: setUp.contenders,
    },
  ];
  return {
    cases,
    async prepare() {
      const serve = ['-d', '--name', 'served'];
      await host.ok(['run', ...serve, '-p', `${BERTH_PORT}:80`, 'busybox', ...SERVE]);
      await docker.ok(['run', ...serve, '-p', `${DOCKER_PORT}:80`, 'busybox', ...SERVE]);
      await pod.ok(['run', ...serve, '--network', 'bridge', '-p', `${POD_PORT}:80`, 'busybox', ...SERVE]);
      ip(`netns add ${LAN}`);
      ip(`link add bt-bench type veth peer name eth0 netns ${LAN}`);
      ip(`addr add ${LAN_HOST}/24 dev bt-bench`);
      ip('link set bt-bench up');
      ip(`-n ${LAN} addr add 10.88.210.2/24 dev eth0`);
      ip(`-n ${LAN} link set eth0 up`);
    },
    async dispose() {
      await setUp.dispose();
      await host.berth(['rm', '-f', 'served']);
      await docker.run(['rm', '-f', 'served']);
      await pod.run(['rm', '-f', '-t', '0', 'served']);
      try {
        ip(`netns del ${LAN}`);
      } catch {
        // It was never made.
      }
    },
  };
}

function ip(line: string): void {
  execFileSync('ip', line.split(' '), { stdio: 'pipe' });
}

async function atOnce(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, run));
  return performance.now() - began;
}

/** What Berth does in its own process, and the calls that nobody can do without. */
function setUpContenders(): { readonly contenders: Case['contenders']; dispose(): Promise<void> } {
  const bridge = 'bt-bench-net';
  const network = { bridge, subnets: [{ subnet: '10.88.211.0/24', gateway: '10.88.211.1' }] };
  const networks = openNetworkHost({ engine: '/bench/networks', log: () => undefined });
  const ready = () => networks.ensureBridge({ ...network, internal: false, neighbours: true, masquerade: true });
  const timed = async (one: (at: number) => () => void) => {
    ready();
    const ends: (() => void)[] = [];
    const began = performance.now();
    for (let at = 0; at < SET_UPS; at++) ends.push(one(at));
    const took = performance.now() - began;
    for (const end of ends) end();
    return took;
  };
  const contenders = [
    { name: 'bare netlink calls', run: () => timed((at) => bare(bridge, at)) },
    {
      name: 'berth',
      run: () =>
        timed((at) => {
          const sandbox = networks.openSandbox();
          networks.attach(sandbox, {
            interfaceName: 'eth0',
            link: { kind: 'bridge', bridge },
            addresses: [`10.88.211.${at + 2}/24`],
          });
          sandbox.setGateways({ ipv4: '10.88.211.1' });
          return () => sandbox.close();
        }),
    },
  ];
  return { contenders, dispose: () => networks.close({ keep: false }) };
}

function bare(bridge: string, at: number): () => void {
  const host = new NetlinkSocket();
  const { fd, made: inside } = makeNamespace(() => new NetlinkSocket());
  const master = linkNamed(host, bridge)!.index;
  const outer = `vethbench${at}`;
  host.demand('link add', [createVeth({ name: outer, master, up: true }, { name: 'eth0', namespaceFd: fd })]);
  const index = linkNamed(inside, 'eth0')!.index;
  inside.demand('set up', [
    changeLink(1, { up: true }),
    addAddress({ index, address: ipBytes(parseIp(`10.88.211.${at + 2}`)), prefixLength: 24 }),
    changeLink(index, { up: true }),
    replaceRoute({ family: 4, gateway: ipBytes(parseIp('10.88.211.1')) }),
  ]);
  return () => {
    inNamespace(fd, () => inside.demand('link delete', [deleteLink(index)]));
    inside.close();
    host.close();
    syscall('int close(int)', fd);
  };
}

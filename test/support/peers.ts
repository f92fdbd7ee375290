import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, type Result, until } from './host.ts';
import { noteHostState } from './host-filters.ts';

/** A program of another project, with its own storage in a temporary folder. */
export interface Peer {
  run(args: readonly string[], options?: { readonly timeoutMs?: number }): Promise<Result>;
  /** Standard output; an exit code other than 0 fails the test. */
  ok(args: readonly string[]): Promise<string>;
  dispose(): Promise<void>;
  /** Arguments that every call begins with. */
  readonly prefix: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where all of it is. */
  readonly folder: string;
}

function peer(
  program: string,
  folder: string,
  prefix: readonly string[],
  env: Readonly<Record<string, string>>,
  dispose: () => Promise<void>,
): Peer {
  const run: Peer['run'] = (args, options) =>
    command(program, [...prefix, ...args], { env, timeoutMs: 120_000, ...options });
  return {
    folder,
    prefix,
    env,
    run,
    async ok(args) {
      const result = await run(args);
      if (result.code !== 0)
        throw new Error(`${program} ${args.join(' ')}: exit ${result.code}\n${result.stdout}\n${result.stderr}`);
      return result.stdout;
    },
    dispose,
  };
}

export function podman(): Peer {
  const folder = mkdtempSync('/tmp/berth-podman-');
  const storage = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'overlay'];
  // Podman asks for more open files than a confined root may have.
  const conf = join(folder, 'containers.conf');
  writeFileSync(conf, '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n');
  return peer('podman', folder, [...storage, '--log-level', 'error'], { CONTAINERS_CONF: conf }, async () => {
    await command('podman', [...storage, 'image', 'unmount', '--all']);
    await command('podman', [...storage, 'rmi', '--all', '--force']);
    await command('umount', [join(folder, 'root/overlay')]);
    rmSync(folder, { recursive: true, force: true });
  });
}

/**
 * Debian's dockerd, driven by the docker CLI.
 * @param options.networks with its default bridge and its rules; otherwise it touches nothing of the host's networks
 */
export async function dockerd(
  options: { readonly networks?: boolean } = {},
): Promise<Peer & { readonly socket: string }> {
  const putBack = noteHostState();
  const folder = mkdtempSync('/tmp/berth-dockerd-');
  const socket = join(folder, 'docker.sock');
  const daemon: ChildProcess = spawn(
    'dockerd',
    [
      '--data-root',
      join(folder, 'data'),
      '--exec-root',
      join(folder, 'exec'),
      '--pidfile',
      join(folder, 'pid'),
      '--host',
      `unix://${socket}`,
      ...(options.networks
        ? ['--bip', '10.88.200.1/24']
        : ['--bridge', 'none', '--iptables=false', '--ip6tables=false']),
    ],
    { stdio: 'ignore', env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` } },
  );
  let ended = false;
  daemon.once('exit', () => {
    ended = true;
  });
  const docker = peer('docker', folder, ['-H', `unix://${socket}`], { DOCKER_BUILDKIT: '0' }, async () => {
    daemon.kill('SIGTERM');
    await until(() => ended, 30_000);
    putBack();
    rmSync(folder, { recursive: true, force: true });
  });
  await until(async () => {
    if (ended) throw new Error('dockerd ended before it listened: run it by hand to see why');
    return existsSync(socket) && (await docker.run(['version'])).code === 0;
  }, 60_000);
  return { ...docker, socket };
}

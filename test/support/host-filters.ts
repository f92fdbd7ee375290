import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Notes what the host has of what another engine is about to make: filters that iptables knows, `docker0`, and cgroups by
 * its name, all of which it leaves when it ends.
 * @returns puts it back, once that engine has ended
 */
export function noteHostState(): () => void {
  const before = new Set(tables());
  const saved = (['iptables', 'ip6tables'] as const).map((program) => ({
    program,
    rules: execFileSync(`${program}-save`, { encoding: 'utf8', stdio: 'pipe', env }),
  }));
  const bridges = PEER_BRIDGES.filter((name) => !existsSync(`/sys/class/net/${name}`));
  const groups = cgroups();
  return () => {
    for (const table of tables()) if (!before.has(table)) nft(['delete', 'table', ...table.split(' ')]);
    for (const { program, rules } of saved) {
      if (rules.includes('*')) execFileSync(`${program}-restore`, { input: rules, stdio: 'pipe', env });
    }
    for (const name of bridges) if (existsSync(`/sys/class/net/${name}`)) execFileSync('ip', ['link', 'del', name]);
    for (const folder of cgroups()) if (!groups.includes(folder)) removeGroup(folder);
  };
}

const PEER_BRIDGES = ['docker0', 'podman0', 'cni-podman0'];
const CGROUPS = '/sys/fs/cgroup';
const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` };

function nft(args: readonly string[]): string {
  return execFileSync('nft', args, { encoding: 'utf8', stdio: 'pipe', env });
}

/** Those that iptables makes: `ip filter`, `ip6 nat`. */
function tables(): readonly string[] {
  return [...nft(['list', 'tables']).matchAll(/^table (ip6? (?:filter|nat|mangle|raw|security))$/gm)].map(
    ([, name]) => name!,
  );
}

function cgroups(): readonly string[] {
  return ['', ...readdirSync(CGROUPS)].map((name) => join(CGROUPS, name, 'docker')).filter((path) => existsSync(path));
}

/** A group goes when those within it have gone. */
function removeGroup(folder: string): void {
  for (const { name } of readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    removeGroup(join(folder, name));
  }
  rmdirSync(folder);
}

import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './host.ts';
import { hostLinks, hostRules, networkMarks } from './network-marks.ts';
import { LEDGER, type LedgerEntry } from './suite-ledger.ts';

/** The kernel, and engines that leave by themselves, take their time. */
const SETTLE_MS = 60_000;
const CGROUPS = '/sys/fs/cgroup';
let folder = '';
let before: ReadonlySet<string> = new Set();

/** Vitest calls it before the first test file. */
export function setup(): void {
  folder = mkdtempSync('/tmp/berth-suite-');
  process.env[LEDGER] = join(folder, 'ledger');
  appendFileSync(process.env[LEDGER], '');
  before = new Set(unowned());
}

/**
 * Vitest calls it after the last. Whatever tests made on the host must be gone: interfaces, rules, mounts, processes,
 * cgroups. What other programs do meanwhile does not matter: only marks of the tests' own engines are looked for.
 * @throws an error that names what is left
 */
export async function teardown(): Promise<void> {
  let left: readonly string[] = [];
  const look = () => {
    left = [...leftByEngines(), ...unowned().filter((name) => !before.has(name))];
    return left.length === 0;
  };
  try {
    await until(look, SETTLE_MS).catch(() => undefined);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (left.length === 0) return;
  // Vitest prints the error of a teardown, but calls the run a success.
  process.exitCode = 1;
  throw new Error(`the tests left on this host:\n${[...new Set(left)].join('\n')}`);
}

function engines(): readonly LedgerEntry[] {
  const lines = readFileSync(join(folder, 'ledger'), 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as LedgerEntry);
}

/** Read once for all engines, of which a whole run has hundreds. */
function leftByEngines(): readonly string[] {
  const [links, rules] = [hostLinks(), hostRules().split('\n')];
  const mounts = readFileSync('/proc/1/mountinfo', 'utf8').split('\n');
  const processes = folders('/proc').flatMap((pid) => commandLine(pid) ?? []);
  return engines().flatMap(({ root, folder: own }) => {
    const { table, group } = networkMarks(root);
    return [
      ...links.filter((link) => link.group === group).map(({ ifname }) => `interface ${ifname} of ${root}`),
      ...rules.filter((line) => line.includes(table)).map((line) => `rule of ${root}: ${line.trim()}`),
      ...mounts.filter((line) => line.includes(`${own}/`)).map((line) => `mount: ${line}`),
      ...processes.filter((line) => line.includes(`${own}/`)).map((line) => `process: ${line}`),
    ];
  });
}

function commandLine(pid: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return undefined;
  }
}

/** Things that bear no engine's mark, and that nobody uses: groups without a process, bridges of tests and of peers. */
function unowned(): readonly string[] {
  const peers = ['docker0', 'podman0', 'cni-podman0'].filter((name) => existsSync(`/sys/class/net/${name}`));
  return [
    ...hostLinks()
      .filter(({ ifname }) => ifname.startsWith('bt-'))
      .map(({ ifname }) => `interface ${ifname}`),
    ...(isRunning('dockerd') ? [] : peers.map((name) => `interface ${name}`)),
    ...['', ...folders(CGROUPS)].flatMap((name) => emptyGroups(join(CGROUPS, name, 'berth'))),
  ];
}

/** Groups in which nobody is, below one or it itself. */
function emptyGroups(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  const below = folders(path);
  if (below.length > 0) return below.flatMap((name) => emptyGroups(join(path, name)));
  try {
    return readFileSync(join(path, 'cgroup.procs'), 'utf8') === '' ? [`cgroup ${path}`] : [];
  } catch {
    return [];
  }
}

function folders(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

function isRunning(program: string): boolean {
  return folders('/proc').some((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === program;
    } catch {
      return false;
    }
  });
}

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Who has a port of the host. */
export interface PortOwner {
  readonly pid: number;
  readonly name: string;
}

const LISTENS = '0A';
const UNCONNECTED = '07';

/**
 * Finds the process that has a port open, by the kernel's list of sockets and everybody's descriptors.
 * @returns undefined when none is found: it may have gone, or be in another namespace
 */
export function portOwner(protocol: 'tcp' | 'udp', port: number): PortOwner | undefined {
  const inodes = new Set([protocol, `${protocol}6`].flatMap((table) => inodesOf(table, protocol, port)));
  if (inodes.size === 0) return undefined;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const pid = pids.find((candidate) => hasSocket(candidate, inodes));
  return pid === undefined ? undefined : { pid: Number(pid), name: read(`/proc/${pid}/comm`).trim() };
}

/** @see proc_pid_net(5): local address, remote address, state, queues, timer, retransmits, uid, timeout, inode */
function inodesOf(table: string, protocol: 'tcp' | 'udp', port: number): readonly string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return read(`/proc/net/${table}`)
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      const open = state === (protocol === 'tcp' ? LISTENS : UNCONNECTED);
      return open && local.endsWith(`:${wanted}`) ? [inode] : [];
    });
}

function hasSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const target = linkTarget(`/proc/${pid}/fd/${fd}`);
      return target.startsWith('socket:[') && inodes.has(target.slice(8, -1));
    });
  } catch {
    return false;
  }
}

function linkTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

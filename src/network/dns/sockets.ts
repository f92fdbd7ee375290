import { closeSync } from 'node:fs';
import { call } from '../../linux/index.ts';
import { NetlinkSocket } from '../netlink/socket.ts';
import { batch, NETLINK_NETFILTER } from '../netlink/tables.ts';
import { redirectRequests } from './redirect.ts';

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOCKADDR_BYTES = 16;

/** Where containers find their resolver, at port 53. */
export const RESOLVER_ADDRESS = '127.0.0.11';
const addressBytes = [127, 0, 0, 11];

/** What `serveDns` takes. */
export interface DnsSockets {
  readonly udpFd: number;
  readonly tcpFd: number;
}

/**
 * Opens a resolver's sockets in the network namespace in which this is called (`Sandbox.inside`), and leads port 53 of
 * the resolver's address to them. They have ports of their own, because a container may well serve DNS on port 53 of all
 * its addresses. What an earlier engine left is replaced. Synchronous.
 */
export function openDnsSockets(): DnsSockets {
  const opened: number[] = [];
  try {
    const udp = openSocket(SOCK_DGRAM, opened);
    const tcp = openSocket(SOCK_STREAM, opened);
    redirect({ udp: udp.port, tcp: tcp.port });
    return { udpFd: udp.fd, tcpFd: tcp.fd };
  } catch (error) {
    for (const fd of opened) closeSync(fd);
    throw error;
  }
}

function redirect(ports: Readonly<Record<'udp' | 'tcp', number>>): void {
  const filters = new NetlinkSocket(NETLINK_NETFILTER);
  try {
    const lead = (replace: boolean) =>
      filters.demandBatch('redirect DNS', batch, redirectRequests(RESOLVER_ADDRESS, ports, { replace }));
    try {
      lead(false);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      lead(true);
    }
  } finally {
    filters.close();
  }
}

function openSocket(kind: number, opened: number[]): { readonly fd: number; readonly port: number } {
  const fd = call('int socket(int, int, int)', AF_INET, kind | SOCK_CLOEXEC, 0);
  opened.push(fd);
  const address = Buffer.alloc(SOCKADDR_BYTES);
  address.writeUInt16LE(AF_INET, 0);
  address.set(addressBytes, 4);
  call('int bind(int, const void*, uint32_t)', fd, address, address.length);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(SOCKADDR_BYTES);
  call('int getsockname(int, void*, void*)', fd, address, length);
  return { fd, port: address.readUInt16BE(2) };
}

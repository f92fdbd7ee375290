import { deleteFlow, dumpFlows, isUdp, parseFlow } from '../netlink/conntrack.ts';
import { NetlinkSocket } from '../netlink/socket.ts';
import { NETLINK_NETFILTER } from '../netlink/tables.ts';

/**
 * Makes the kernel forget where datagrams to ports of the host went: as long as a client goes on sending, it would lead
 * them to the container that had the port before, or to nobody. Connections of TCP end by themselves.
 */
export function forgetDatagrams(hostPorts: ReadonlySet<number>): void {
  if (hostPorts.size === 0) return;
  const socket = new NetlinkSocket(NETLINK_NETFILTER);
  try {
    const flows = ([4, 6] as const).flatMap((family) => socket.find(dumpFlows(family)));
    const stale = flows
      .flatMap((reply) => parseFlow(reply) ?? [])
      .filter((flow) => isUdp(flow) && hostPorts.has(flow.port));
    // What ended meanwhile is not there any more.
    if (stale.length > 0) socket.run(...stale.map(deleteFlow));
  } finally {
    socket.close();
  }
}

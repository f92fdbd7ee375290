import { AF_INET, AF_INET6 } from './addresses.ts';
import { bytes, numberOf, parseAttributes, u32 } from './attributes.ts';
import { messageFlags, type Reply, type Request } from './message.ts';

/** Requests about routes and neighbours. Pure. @see rtnetlink(7), RTM_NEWROUTE */
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_TABLE = 15;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RTN_UNICAST = 1;
const RT_SCOPE_LINK = 253;
const RT_SCOPE_NOWHERE = 255;
const HEADER_BYTES = 12;

export interface Route {
  readonly family: 4 | 6;
  /** Absent for the default route. */
  readonly destination?: { readonly address: Uint8Array; readonly prefixLength: number };
  readonly gateway?: Uint8Array;
  /** Index of the interface; not needed when the gateway tells it. */
  readonly outgoing?: number;
}

export function addRoute(route: Route): Request {
  return request(RTM_NEWROUTE, messageFlags.CREATE | messageFlags.EXCL | messageFlags.ACK, route);
}

/** Takes the place of another route to the same destination. */
export function replaceRoute(route: Route): Request {
  return request(RTM_NEWROUTE, messageFlags.CREATE | messageFlags.REPLACE | messageFlags.ACK, route);
}

export function removeRoute(route: Route): Request {
  return request(RTM_DELROUTE, messageFlags.ACK, route);
}

export function dumpRoutes(family: 4 | 6): Request {
  const payload = Buffer.alloc(HEADER_BYTES);
  payload[0] = family === 4 ? AF_INET : AF_INET6;
  return { type: RTM_GETROUTE, flags: messageFlags.DUMP, payload };
}

/** A unicast route of the main table. @returns undefined for others, and for a message about something else */
export function parseRoute({ type, payload }: Reply): Route | undefined {
  if (type !== RTM_NEWROUTE || payload.length < HEADER_BYTES) return undefined;
  const found = parseAttributes(payload.subarray(HEADER_BYTES));
  if ((numberOf(found.get(RTA_TABLE)) ?? payload[4]) !== RT_TABLE_MAIN || payload[7] !== RTN_UNICAST) return undefined;
  const address = found.get(RTA_DST);
  const gateway = found.get(RTA_GATEWAY);
  const outgoing = numberOf(found.get(RTA_OIF));
  return {
    family: payload[0] === AF_INET ? 4 : 6,
    ...(address ? { destination: { address, prefixLength: payload[1]! } } : {}),
    ...(gateway ? { gateway } : {}),
    ...(outgoing === undefined ? {} : { outgoing }),
  };
}

function request(type: number, flags: number, { family, destination, gateway, outgoing }: Route): Request {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = family === 4 ? AF_INET : AF_INET6;
  header[1] = destination?.prefixLength ?? 0;
  header[4] = RT_TABLE_MAIN;
  header[5] = RTPROT_BOOT;
  // A removal names no scope, which fits all.
  header[6] = type === RTM_DELROUTE ? RT_SCOPE_NOWHERE : gateway || family === 6 ? 0 : RT_SCOPE_LINK;
  header[7] = RTN_UNICAST;
  return {
    type,
    flags,
    payload: Buffer.concat([
      header,
      ...(destination ? [bytes(RTA_DST, destination.address)] : []),
      ...(gateway ? [bytes(RTA_GATEWAY, gateway)] : []),
      ...(outgoing === undefined ? [] : [u32(RTA_OIF, outgoing)]),
    ]),
  };
}

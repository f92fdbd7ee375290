import { ipBytes, parseIp } from '../address/ip.ts';
import { bytes, nested, text } from '../netlink/attributes.ts';
import { messageFlags, type Request } from '../netlink/message.ts';
import { filterRequest } from '../netlink/tables.ts';

/** Values of linux/include/uapi/linux/netfilter/nf_tables.h. */
const NFPROTO_IPV4 = 2;
const messages = { NEWTABLE: 0, DELTABLE: 2, NEWCHAIN: 3, NEWRULE: 6 } as const;
const TABLE_NAME = 1;
const chain = { TABLE: 1, NAME: 3, HOOK: 4, TYPE: 7 } as const;
const hook = { NUMBER: 1, PRIORITY: 2, LOCAL_OUT: 3 } as const;
const rule = { TABLE: 1, CHAIN: 2, EXPRESSIONS: 4, ELEMENT: 1, NAME: 1, DATA: 2 } as const;
const payload = { REGISTER: 1, BASE: 2, OFFSET: 3, LENGTH: 4, NETWORK: 1, TRANSPORT: 2 } as const;
const compare = { REGISTER: 1, OPERATOR: 2, DATA: 3, EQUAL: 0 } as const;
const meta = { REGISTER: 1, KEY: 2, L4PROTO: 16 } as const;
const immediate = { REGISTER: 1, DATA: 2 } as const;
const nat = { TYPE: 1, FAMILY: 2, ADDRESS: 3, PORT: 5, DNAT: 1 } as const;
const DATA_VALUE = 1;
const DNAT_PRIORITY = -100;

const TABLE = 'berth_dns';
const CHAIN = 'asked';
const DNS_PORT = 53;
const protocols = { tcp: 6, udp: 17 } as const;
/** Where the destination lies in an IPv4 header, and the port in those of TCP and UDP. */
const DESTINATION_OFFSET = 16;
const PORT_OFFSET = 2;

/**
 * The requests, as one batch, that lead port 53 of an address of the namespace's own to other ports of it. Replies need no
 * rule: connection tracking gives them the address that was asked. Pure.
 * @param replace in place of what an earlier engine made; without it that is an error `EEXIST`. To remove rules, the
 * kernel waits some milliseconds for all processors
 */
export function redirectRequests(
  address: string,
  ports: Readonly<Record<'tcp' | 'udp', number>>,
  { replace }: { readonly replace: boolean },
): readonly Request[] {
  const create = messageFlags.CREATE | messageFlags.ACK;
  const name = [text(TABLE_NAME, TABLE)];
  const add = (flags: number) => filterRequest(NFPROTO_IPV4, messages.NEWTABLE, create | flags, name);
  const remove = filterRequest(NFPROTO_IPV4, messages.DELTABLE, messageFlags.ACK, name);
  const place = nested(chain.HOOK, [number(hook.NUMBER, hook.LOCAL_OUT), number(hook.PRIORITY, DNAT_PRIORITY)]);
  const chainAttributes = [text(chain.TABLE, TABLE), text(chain.NAME, CHAIN), place, text(chain.TYPE, 'nat')];
  return [
    // Only what is there can be removed.
    ...(replace ? [add(0), remove] : []),
    add(messageFlags.EXCL),
    filterRequest(NFPROTO_IPV4, messages.NEWCHAIN, create, chainAttributes),
    ...(['udp', 'tcp'] as const).map((protocol) =>
      filterRequest(NFPROTO_IPV4, messages.NEWRULE, create, ruleAttributes(address, protocol, ports[protocol])),
    ),
  ];
}

function ruleAttributes(address: string, protocol: 'tcp' | 'udp', port: number): readonly Buffer[] {
  const destination = ipBytes(parseIp(address));
  return [
    text(rule.TABLE, TABLE),
    text(rule.CHAIN, CHAIN),
    nested(rule.EXPRESSIONS, [
      load(payload.NETWORK, DESTINATION_OFFSET, destination.length),
      isEqual(destination),
      expression('meta', [number(meta.REGISTER, 1), number(meta.KEY, meta.L4PROTO)]),
      isEqual(Buffer.from([protocols[protocol]])),
      load(payload.TRANSPORT, PORT_OFFSET, 2),
      isEqual(portBytes(DNS_PORT)),
      set(1, destination),
      set(2, portBytes(port)),
      expression('nat', [
        number(nat.TYPE, nat.DNAT),
        number(nat.FAMILY, NFPROTO_IPV4),
        number(nat.ADDRESS, 1),
        number(nat.PORT, 2),
      ]),
    ]),
  ];
}

function load(base: number, offset: number, length: number): Buffer {
  return expression('payload', [
    number(payload.REGISTER, 1),
    number(payload.BASE, base),
    number(payload.OFFSET, offset),
    number(payload.LENGTH, length),
  ]);
}

function isEqual(value: Buffer): Buffer {
  return expression('cmp', [
    number(compare.REGISTER, 1),
    number(compare.OPERATOR, compare.EQUAL),
    nested(compare.DATA, [bytes(DATA_VALUE, value)]),
  ]);
}

function set(register: number, value: Buffer): Buffer {
  return expression('immediate', [
    number(immediate.REGISTER, register),
    nested(immediate.DATA, [bytes(DATA_VALUE, value)]),
  ]);
}

function expression(name: string, attributes: readonly Buffer[]): Buffer {
  return nested(rule.ELEMENT, [text(rule.NAME, name), nested(rule.DATA, attributes)]);
}

/** Numbers of packet filters are in the byte order of the network. */
function number(type: number, value: number): Buffer {
  const encoded = Buffer.alloc(4);
  encoded.writeInt32BE(value);
  return bytes(type, encoded);
}

function portBytes(port: number): Buffer {
  return Buffer.from([port >> 8, port & 0xff]);
}

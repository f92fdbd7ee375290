import { parsePrefix } from '../address/ip.ts';

/** A bridge as the rules know it. */
export interface BridgeRules {
  /** The interface's name. */
  readonly name: string;
  /** Prefixes in text form. */
  readonly subnets: readonly string[];
  /** Nothing goes out of it or comes in. */
  readonly internal: boolean;
  /** Whether its containers may talk to each other. */
  readonly neighbours: boolean;
  /** Whether what leaves it has the host's address. */
  readonly masquerade: boolean;
}

/** A port of the host whose traffic goes to a container. Both addresses are of one family. */
export interface PortRule {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly family: 4 | 6;
  /** Absent for every address of the host. */
  readonly hostIp?: string;
  readonly hostPort: number;
  readonly containerIp: string;
  readonly containerPort: number;
}

export interface Rules {
  readonly bridges: readonly BridgeRules[];
  readonly ports: readonly PortRule[];
}

/**
 * The whole table, in the place of what it was before: one transaction, in which no packet sees it half made.
 * Its forward chain comes before the filters of others, which may still drop what it lets pass.
 */
export function wholeTable(table: string, { bridges, ports }: Rules): string {
  const inside = [...bridges.flatMap(elementsOf), ...ports.map(elementOf)];
  const elements = (set: string) => {
    const values = inside.filter((element) => element.set === set).map(({ value }) => value);
    return values.length > 0 ? `elements = { ${values.join(', ')} }` : '';
  };
  // Everything stands inside of the block: nft does not find the chain of a verdict that is added after it.
  return `${deleteTable(table)}table inet ${table} {
 map publish4 { type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service; ${elements('publish4')} }
 map publish4_any { type inet_proto . inet_service : ipv4_addr . inet_service; ${elements('publish4_any')} }
 map publish6 { type inet_proto . ipv6_addr . inet_service : ipv6_addr . inet_service; ${elements('publish6')} }
 map publish6_any { type inet_proto . inet_service : ipv6_addr . inet_service; ${elements('publish6_any')} }
 map leaving4 { type ipv4_addr : verdict; flags interval; ${elements('leaving4')} }
 map leaving6 { type ipv6_addr : verdict; flags interval; ${elements('leaving6')} }
 set bridges { type ifname; ${elements('bridges')} }
 set internal { type ifname; ${elements('internal')} }
 set neighbours { type ifname . ifname; ${elements('neighbours')} }
${bridges.map((bridge) => ` chain ${chainOf(bridge)} {\n${leavingRules(bridge).join('\n')}\n }\n`).join('')}
 chain publish {
  dnat ip to meta l4proto . ip daddr . th dport map @publish4
  dnat ip to meta l4proto . th dport map @publish4_any
  dnat ip6 to meta l4proto . ip6 daddr . th dport map @publish6
  dnat ip6 to meta l4proto . th dport map @publish6_any
 }
 chain guard { type filter hook prerouting priority raw; policy accept;
  iifname @bridges ip daddr 127.0.0.0/8 drop
 }
 chain prerouting { type nat hook prerouting priority dstnat; policy accept;
  ip daddr 127.0.0.0/8 return
  fib daddr type local jump publish
 }
 chain output { type nat hook output priority -100; policy accept;
  ip6 daddr ::1 return
  fib daddr type local jump publish
 }
 chain postrouting { type nat hook postrouting priority srcnat; policy accept;
  ip saddr 127.0.0.0/8 oifname @bridges masquerade
  ip saddr vmap @leaving4
  ip6 saddr vmap @leaving6
 }
 chain forward { type filter hook forward priority filter - 5; policy accept;
  ct state established,related accept
  iifname . oifname @neighbours accept
  iifname @internal drop
  oifname @internal drop
  oifname @bridges ct status dnat accept
  oifname @bridges drop
 }
}
`;
}

export function deleteTable(table: string): string {
  return `add table inet ${table}\ndelete table inet ${table}\n`;
}

export function addBridge(table: string, bridge: BridgeRules): string {
  const chain = chainOf(bridge);
  return [
    `add chain inet ${table} ${chain}\n`,
    ...leavingRules(bridge).map((rule) => `add rule inet ${table} ${chain} ${rule}\n`),
    ...elementsOf(bridge).map(({ set, value }) => `add element inet ${table} ${set} { ${value} }\n`),
  ].join('');
}

export function removeBridge(table: string, bridge: BridgeRules): string {
  return [
    ...elementsOf(bridge).map(({ set, value }) => `delete element inet ${table} ${set} { ${value} }\n`),
    `delete chain inet ${table} ${chainOf(bridge)}\n`,
  ].join('');
}

export function addPorts(table: string, ports: readonly PortRule[]): string {
  return ports
    .map(elementOf)
    .map(({ set, value }) => `add element inet ${table} ${set} { ${value} }\n`)
    .join('');
}

export function removePorts(table: string, ports: readonly PortRule[]): string {
  return ports.map((port) => `delete element inet ${table} ${mapOf(port)} { ${keyOf(port)} }\n`).join('');
}

/** A value of a set, or a pair of a map. */
interface Element {
  readonly set: string;
  readonly value: string;
}

function chainOf({ name }: BridgeRules): string {
  return `leaving_${name}`;
}

/** What happens to packets from the bridge's subnets on their way out. */
function leavingRules({ name, masquerade }: BridgeRules): readonly string[] {
  return [
    ...(masquerade ? [`oifname != "${name}" masquerade`] : []),
    // A neighbour that asks for a published port must be answered by way of the host.
    'ct status dnat masquerade',
  ];
}

function elementsOf(bridge: BridgeRules): readonly Element[] {
  const { name, subnets, internal, neighbours } = bridge;
  return [
    { set: 'bridges', value: `"${name}"` },
    ...(internal ? [{ set: 'internal', value: `"${name}"` }] : []),
    ...(neighbours ? [{ set: 'neighbours', value: `"${name}" . "${name}"` }] : []),
    ...subnets.map((subnet) => ({
      set: `leaving${parsePrefix(subnet).family}`,
      value: `${subnet} : jump ${chainOf(bridge)}`,
    })),
  ];
}

function elementOf(port: PortRule): Element {
  return { set: mapOf(port), value: `${keyOf(port)} : ${port.containerIp} . ${port.containerPort}` };
}

function mapOf({ family, hostIp }: PortRule): string {
  return `publish${family}${hostIp === undefined ? '_any' : ''}`;
}

function keyOf({ protocol, hostIp, hostPort }: PortRule): string {
  return [protocol, ...(hostIp === undefined ? [] : [hostIp]), hostPort].join(' . ');
}

import { createHash } from 'node:crypto';
import { BerthError } from '../../errors/index.ts';
import { formatIp, formatPrefix, lastOf, overlaps, type Prefix, parseIp, parsePrefix, sizeOf } from './ip.ts';
import { AddressPool, type SubnetConfig } from './pool.ts';

/** A pool that subnets of one size are cut from. */
export interface SubnetPool {
  readonly base: string;
  /** Prefix length of the subnets. */
  readonly size: number;
}

/** @see moby, `ipamutils`, "local scope" networks */
export const defaultPools: readonly SubnetPool[] = [
  ...Array.from({ length: 15 }, (_, at) => ({ base: `172.${17 + at}.0.0/16`, size: 16 })),
  { base: '192.168.0.0/16', size: 20 },
];

/** What a user may say about a subnet; all is optional. */
export interface SubnetRequest {
  readonly subnet?: string;
  readonly gateway?: string;
  readonly range?: string;
  readonly auxiliary?: Readonly<Record<string, string>>;
}

/**
 * The first subnet of the pools that nobody uses.
 * @param used subnets of networks, and what the host has routes to
 * @throws BerthError `exhausted`
 */
export function freeSubnet(used: readonly string[], pools: readonly SubnetPool[] = defaultPools): string {
  const taken = used.map(parsePrefix);
  for (const { base, size } of pools) {
    const pool = parsePrefix(base);
    for (let candidate: Prefix = { ...pool, length: size }; candidate.first <= lastOf(pool); ) {
      // Only what lies in the way is looked at, and then jumped over: a pool of IPv6 is too large to be walked.
      const obstacle = taken.find((other) => overlaps(candidate, other));
      if (!obstacle) return formatPrefix(candidate);
      const after = lastOf(obstacle) > lastOf(candidate) ? lastOf(obstacle) + 1n : candidate.first + sizeOf(candidate);
      const step = sizeOf(candidate);
      candidate = { ...candidate, first: ((after + step - 1n) / step) * step };
    }
  }
  throw new BerthError('exhausted', 'all predefined address pools have been fully subnetted', {
    hint: 'remove networks that are not needed (network prune), or choose a --subnet',
  });
}

/** The pool of an engine's IPv6 subnets: a unique local prefix that is always the same for it. @see RFC 4193 */
export function localV6Pool(engine: string): SubnetPool {
  const id = createHash('sha256').update(engine).digest('hex').slice(0, 10);
  return { base: `fd${id.slice(0, 2)}:${id.slice(2, 6)}:${id.slice(6, 10)}::/48`, size: 64 };
}

/**
 * A subnet with everything decided. Without a gateway it is the range's first address, as Docker has it.
 * @throws BerthError `invalid`
 */
export function completeSubnet(request: SubnetRequest & { readonly subnet: string }): SubnetConfig {
  const prefix = parsePrefix(request.subnet);
  const range = request.range ? parsePrefix(request.range) : prefix;
  const { family } = prefix;
  const start = range.first === prefix.first && sizeOf(prefix) > 2n ? range.first + 1n : range.first;
  const gateway = request.gateway ? formatIp(parseIp(request.gateway)) : formatIp({ family, value: start });
  const config: SubnetConfig = {
    subnet: formatPrefix(prefix),
    gateway,
    ...(request.range ? { range: formatPrefix(range) } : {}),
    ...(request.auxiliary ? { auxiliary: request.auxiliary } : {}),
  };
  new AddressPool(config);
  return config;
}

/** @throws BerthError `forbidden`, as Docker's, when a network has some of these addresses already */
export function refuseOverlap(
  subnet: string,
  networks: readonly { readonly name: string; readonly subnet: string }[],
): void {
  const wanted = parsePrefix(subnet);
  const other = networks.find((network) => overlaps(wanted, parsePrefix(network.subnet)));
  if (!other) return;
  throw new BerthError('forbidden', 'invalid pool request: Pool overlaps with other one on this address space', {
    hint: `${subnet} overlaps ${other.subnet} of the network ${other.name}`,
  });
}

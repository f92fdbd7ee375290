import { BerthError } from '../../errors/index.ts';
import type { NetworkHost, SubnetAddresses } from './network-host.ts';
import { type LiveEndpoint, type NetworkRecord, plainAddress } from './record.ts';

/** Which addresses of each network are taken. */
export class NetworkAddresses {
  readonly #host: Pick<NetworkHost, 'openAddresses'>;
  readonly #pools = new Map<string, readonly SubnetAddresses[]>();

  constructor(host: Pick<NetworkHost, 'openAddresses'>) {
    this.#host = host;
  }

  /** One address of each family, those that are asked for. @throws BerthError; then none is taken */
  take(
    record: NetworkRecord,
    wanted: { readonly ipv4?: string; readonly ipv6?: string },
  ): { readonly ipv4?: string; readonly ipv6?: string } {
    const taken: { ipv4?: string; ipv6?: string } = {};
    try {
      for (const family of ['ipv4', 'ipv6'] as const) {
        const address = this.#takeOne(record, family, wanted[family]);
        if (address) taken[family] = address;
      }
      return taken;
    } catch (error) {
      this.release(record, taken);
      throw error;
    }
  }

  /** Notes addresses that a container of an earlier engine has. */
  adopt(record: NetworkRecord, { ipv4, ipv6 }: LiveEndpoint): void {
    for (const address of [ipv4, ipv6]) {
      if (!address) continue;
      const at = this.#indexOf(record, address.includes(':') ? 'ipv6' : 'ipv4');
      // Somebody may have changed the record; the container keeps what it has.
      try {
        this.#poolsOf(record)[at]?.reserve(plainAddress(address));
      } catch {}
    }
  }

  release(record: NetworkRecord, held: { readonly ipv4?: string; readonly ipv6?: string }): void {
    for (const family of ['ipv4', 'ipv6'] as const) {
      const address = held[family];
      if (address) this.#poolsOf(record)[this.#indexOf(record, family)]?.release(plainAddress(address));
    }
  }

  #takeOne(record: NetworkRecord, family: 'ipv4' | 'ipv6', wanted: string | undefined): string | undefined {
    const at = this.#indexOf(record, family);
    const [pool, subnet] = [this.#poolsOf(record)[at], record.subnets[at]];
    if (!pool || !subnet) {
      if (wanted === undefined) return undefined;
      throw new BerthError('invalid', `network ${record.name} has no ${family === 'ipv6' ? 'IPv6' : 'IPv4'} subnet`);
    }
    if (wanted !== undefined) pool.reserve(wanted);
    return `${wanted ?? pool.take()}/${subnet.subnet.split('/')[1]}`;
  }

  #poolsOf(record: NetworkRecord): readonly SubnetAddresses[] {
    const known = this.#pools.get(record.id);
    if (known) return known;
    const pools = record.subnets.map((subnet) => this.#host.openAddresses(subnet));
    this.#pools.set(record.id, pools);
    return pools;
  }

  #indexOf({ subnets }: NetworkRecord, family: 'ipv4' | 'ipv6'): number {
    return subnets.findIndex(({ subnet }) => subnet.includes(':') === (family === 'ipv6'));
  }

  /** The network is gone. */
  forget({ id }: NetworkRecord): void {
    this.#pools.delete(id);
  }
}

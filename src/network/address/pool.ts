import { BerthError } from '../../errors/index.ts';
import {
  contains,
  formatIp,
  formatPrefix,
  type IpAddress,
  lastOf,
  type Prefix,
  parseIp,
  parsePrefix,
  sizeOf,
} from './ip.ts';

/** One subnet of a network, as it was asked for and completed. Addresses and prefixes in their text form. */
export interface SubnetConfig {
  readonly subnet: string;
  /** The host's own address in it. */
  readonly gateway: string;
  /** The part of the subnet that containers get addresses from. */
  readonly range?: string;
  /** Addresses that are never given out, by a name for each. */
  readonly auxiliary?: Readonly<Record<string, string>>;
}

/**
 * The addresses of one subnet, and which are taken. Free ones are given out in a circle, so that an address rests as
 * long as it can before somebody else gets it: what still remembers its last owner is not misled. Pure but for its state.
 */
export class AddressPool {
  readonly prefix: Prefix;
  readonly #range: Prefix;
  readonly #taken = new Set<bigint>();
  /** Never given out: the gateway, auxiliary addresses, and what means the network or all of it. */
  readonly #reserved = new Set<bigint>();
  #next: bigint;

  /** @throws BerthError `invalid` when the parts do not fit together */
  constructor(config: SubnetConfig) {
    this.prefix = parsePrefix(config.subnet);
    this.#range = config.range ? parsePrefix(config.range) : this.prefix;
    if (this.#range.family !== this.prefix.family || !containsAll(this.prefix, this.#range)) {
      throw new BerthError('invalid', `invalid ip-range ${config.range}: not within the subnet ${config.subnet}`);
    }
    for (const text of [config.gateway, ...Object.values(config.auxiliary ?? {})]) {
      this.#reserved.add(this.#inside(text).value);
    }
    if (this.prefix.family === 4 && this.prefix.length < 31) this.#reserved.add(lastOf(this.prefix));
    if (sizeOf(this.prefix) > 2n) this.#reserved.add(this.prefix.first);
    this.#next = this.#range.first;
  }

  /** A free address. @throws BerthError `exhausted` */
  take(): string {
    const last = lastOf(this.#range);
    const size = sizeOf(this.#range);
    // As many tries as there can be obstacles.
    const tries = BigInt(this.#taken.size + this.#reserved.size + 1);
    for (let tried = 0n; tried < size && tried < tries; tried += 1n) {
      const value = this.#next;
      this.#next = value >= last ? this.#range.first : value + 1n;
      if (this.#taken.has(value) || this.#reserved.has(value)) continue;
      this.#taken.add(value);
      return formatIp({ family: this.prefix.family, value });
    }
    throw new BerthError(
      'exhausted',
      `no available IPv${this.prefix.family} addresses on this network's address pools`,
      {
        hint: `all of ${formatPrefix(this.#range)} is in use: remove containers, or make a network with a larger subnet`,
      },
    );
  }

  /** A certain address, in the subnet but not necessarily in the range. @throws BerthError `invalid`, `conflict` */
  reserve(text: string): void {
    const { value } = this.#inside(text);
    if (this.#taken.has(value) || this.#reserved.has(value)) throw new BerthError('conflict', 'Address already in use');
    this.#taken.add(value);
  }

  /** Idempotent. */
  release(text: string): void {
    this.#taken.delete(parseIp(text).value);
  }

  #inside(text: string): IpAddress {
    const address = parseIp(text);
    if (contains(this.prefix, address)) return address;
    throw new BerthError('invalid', `no configured subnet contains IP address ${text}`, {
      hint: `the subnet is ${formatPrefix(this.prefix)}`,
    });
  }
}

function containsAll(outer: Prefix, inner: Prefix): boolean {
  return inner.first >= outer.first && lastOf(inner) <= lastOf(outer);
}

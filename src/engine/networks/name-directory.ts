/** A container in a network, as its neighbours know it. */
export interface NamedMember {
  /** Its own name, by which addresses are looked up backwards. */
  readonly name: string;
  /** All of its names in this network: own, aliases, short id. */
  readonly names: readonly string[];
  /** Without prefix length. */
  readonly ipv4?: string;
  readonly ipv6?: string;
}

/** A network as one of its containers sees it. */
export interface SeenNetwork {
  readonly id: string;
  readonly name: string;
  /** Names that the looking container gave others by `--link`, to the names that these have. */
  readonly links?: ReadonlyMap<string, string>;
}

interface Addresses {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/** What the names are in each network. In memory; names are the same in any case of letters. */
export class NameDirectory {
  readonly #networks = new Map<string, NetworkNames>();

  /** Replaces what was known of the member. @param id of the container */
  join(network: string, id: string, member: NamedMember): void {
    const names = this.#networks.get(network) ?? new NetworkNames();
    this.#networks.set(network, names);
    names.remove(id);
    names.add(id, member);
  }

  /** Idempotent. */
  leave(network: string, id: string): void {
    const names = this.#networks.get(network);
    names?.remove(id);
    if (names?.isEmpty) this.#networks.delete(network);
  }

  /**
   * The addresses that a name has in the networks, those of the first network that knows some; undefined when none knows
   * the name. `web.front-end` is `web` in `front-end`; both parts may hold dots.
   */
  lookup(name: string, networks: readonly SeenNetwork[]): Addresses | undefined {
    const wanted = name.toLowerCase();
    for (const [bare, network] of readings(wanted)) {
      const seen = networks.filter((one) => network === undefined || one.name.toLowerCase() === network);
      const found =
        this.#first(seen, (one) => one.links?.get(bare)?.toLowerCase()) ??
        this.#first(seen, (one) => (one.links?.has(bare) ? undefined : bare));
      if (found) return found;
    }
    return undefined;
  }

  /** `web.front-end`, in the first of the networks that has the address. */
  reverse(ip: string, networks: readonly SeenNetwork[]): readonly string[] | undefined {
    for (const { id, name } of networks) {
      const member = this.#networks.get(id)?.holder(ip);
      if (member) return [`${member.name}.${name}`];
    }
    return undefined;
  }

  #first(
    networks: readonly SeenNetwork[],
    nameIn: (network: SeenNetwork) => string | undefined,
  ): Addresses | undefined {
    const found = networks.flatMap((network) => {
      const name = nameIn(network);
      const members = name === undefined ? [] : (this.#networks.get(network.id)?.named(name) ?? []);
      return members.length > 0 ? [addressesOf(members)] : [];
    });
    if (found.length === 0) return undefined;
    const of = (family: keyof Addresses) => found.find((one) => one[family].length > 0)?.[family] ?? [];
    return { ipv4: of('ipv4'), ipv6: of('ipv6') };
  }
}

class NetworkNames {
  readonly #members = new Map<string, NamedMember>();
  readonly #byName = new Map<string, Set<NamedMember>>();
  readonly #byAddress = new Map<string, NamedMember>();

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  add(id: string, member: NamedMember): void {
    this.#members.set(id, member);
    for (const name of keysOf(member)) this.#byName.set(name, (this.#byName.get(name) ?? new Set()).add(member));
    for (const address of [member.ipv4, member.ipv6]) if (address) this.#byAddress.set(address, member);
  }

  remove(id: string): void {
    const member = this.#members.get(id);
    if (!member) return;
    this.#members.delete(id);
    for (const name of keysOf(member)) {
      const bearers = this.#byName.get(name);
      bearers?.delete(member);
      if (bearers?.size === 0) this.#byName.delete(name);
    }
    for (const address of [member.ipv4, member.ipv6]) {
      if (address && this.#byAddress.get(address) === member) this.#byAddress.delete(address);
    }
  }

  named(name: string): readonly NamedMember[] {
    return [...(this.#byName.get(name) ?? [])];
  }

  holder(ip: string): NamedMember | undefined {
    return this.#byAddress.get(ip);
  }
}

function keysOf({ names }: NamedMember): ReadonlySet<string> {
  return new Set(names.map((name) => name.toLowerCase()));
}

function addressesOf(members: readonly NamedMember[]): Addresses {
  return {
    ipv4: members.flatMap(({ ipv4 }) => ipv4 ?? []),
    ipv6: members.flatMap(({ ipv6 }) => ipv6 ?? []),
  };
}

/** `a.b.c` may be a container, `a.b` in the network `c`, or `a` in `b.c`, in this order. */
function readings(name: string): readonly (readonly [string, string | undefined])[] {
  const all: (readonly [string, string | undefined])[] = [[name, undefined]];
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    all.push([name.slice(0, dot), name.slice(dot + 1)]);
  }
  return all;
}

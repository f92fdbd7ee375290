import { createHash, randomBytes } from 'node:crypto';
import type {
  Filters,
  NetworkBody,
  NetworkCreateBody,
  NetworkCreated,
  NetworksPruned,
} from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { PublishEvent } from '../events/bus.ts';
import type { EnginePorts } from '../ports.ts';
import { NetworkAddresses } from './addresses.ts';
import { networkOptions, newNetwork } from './create.ts';
import { isPrunable, networkFilter, PREDEFINED_NETWORKS } from './filters.ts';
import { bodyOf, predefined } from './forms.ts';
import { NameDirectory } from './name-directory.ts';
import type { BridgeRequest } from './network-host.ts';
import { type LiveEndpoint, type NetworkRecord, plainAddress } from './record.ts';

/** A container in a network. */
export interface Member {
  readonly name: string;
  /** All of its names in this network. */
  readonly names: readonly string[];
  readonly endpoint: LiveEndpoint;
}

type NetworkPorts = Pick<EnginePorts, 'networks' | 'store' | 'clock'>;

/** The networks of an engine, which addresses of theirs are taken, and which containers are in them. */
export class Networks {
  /** By which containers find each other. */
  readonly names = new NameDirectory();
  readonly addresses: NetworkAddresses;
  readonly #ports: NetworkPorts;
  readonly #publish: PublishEvent;
  readonly #records = new Map<string, NetworkRecord>();
  readonly #members = new Map<string, Map<string, Member>>();
  /** Changes of the set of networks happen one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(ports: NetworkPorts, publish: PublishEvent) {
    this.#ports = ports;
    this.addresses = new NetworkAddresses(ports.networks);
    this.#publish = publish;
  }

  /** Reads what an earlier engine left. The predefined networks are always there; `bridge` gets a subnet when it is used. */
  async load(): Promise<void> {
    const { store, clock } = this.#ports;
    for (const [name, driver] of [
      ['bridge', 'bridge'],
      ['host', 'host'],
      ['none', 'null'],
    ] as const) {
      const id = createHash('sha256').update(`${this.#ports.networks.defaultBridge} ${name}`).digest('hex');
      this.#records.set(id, predefined(id, name, driver, clock.now(), this.#ports.networks.defaultBridge));
    }
    for (const id of await store.list('network')) {
      const record = await store.read<NetworkRecord>('network', id).catch(() => undefined);
      if (record) this.#records.set(id, record);
    }
  }

  /** Bridges that may stay when an earlier engine's are swept. */
  bridgeNames(): ReadonlySet<string> {
    return new Set([...this.#records.values()].map((record) => this.#bridgeOf(record)));
  }

  async create(body: NetworkCreateBody): Promise<NetworkCreated> {
    return await this.#inTurn(async () => {
      const { networks, store, clock } = this.#ports;
      const all = [...this.#records.values()];
      if (all.some(({ name }) => name === body.Name)) {
        throw new BerthError('conflict', `network with name ${body.Name} already exists`);
      }
      const id = randomBytes(32).toString('hex');
      const record = newNetwork(body, all, { id, createdAt: clock.now() }, networks);
      // Whether the machine can have it is told now, not to the first container.
      if (record.driver === 'bridge') networks.ensureBridge(this.#bridgeRequest(record));
      try {
        await store.write('network', id, record);
      } catch (error) {
        await networks.removeBridge(this.#bridgeOf(record)).catch(() => undefined);
        throw error;
      }
      this.#records.set(id, record);
      this.#tell('create', record);
      return { Id: id, Warning: '' };
    });
  }

  async remove(ref: string): Promise<void> {
    await this.#inTurn(async () => {
      const record = this.get(ref);
      if (PREDEFINED_NETWORKS.has(record.name)) {
        throw new BerthError('forbidden', `${record.name} is a pre-defined network and cannot be removed`);
      }
      const members = [...this.#membersOf(record)];
      if (members.length > 0) {
        const names = members.map(([id, { name }]) => `name:${JSON.stringify(name)} id:"${id.slice(0, 12)}"`);
        throw new BerthError(
          'forbidden',
          `error while removing network: network ${record.name} has active endpoints (${names.join(', ')})`,
          { hint: 'stop these containers, or disconnect them' },
        );
      }
      await this.#delete(record);
    });
  }

  async prune(filters: Filters): Promise<NetworksPruned> {
    return await this.#inTurn(async () => {
      const now = this.#ports.clock.now();
      const unused = [...this.#records.values()].filter(
        (record) => isPrunable(record, filters, now) && this.#membersOf(record).size === 0,
      );
      for (const record of unused) await this.#delete(record);
      this.#publish('network', 'prune', '', { reclaimed: '0' });
      return { NetworksDeleted: unused.map(({ name }) => name) };
    });
  }

  async inspect(ref: string): Promise<NetworkBody> {
    const record = await this.ready(this.get(ref));
    const containers = [...this.#membersOf(record)].map(([id, { name, endpoint }]) => [
      id,
      {
        Name: name,
        EndpointID: endpoint.id,
        MacAddress: endpoint.mac,
        IPv4Address: endpoint.ipv4 ?? '',
        IPv6Address: endpoint.ipv6 ?? '',
      },
    ]);
    return { ...bodyOf(record), Containers: Object.fromEntries(containers) };
  }

  async list(filters: Filters): Promise<readonly NetworkBody[]> {
    const accepts = networkFilter(filters);
    return [...this.#records.values()]
      .filter((record) => accepts(record, this.#membersOf(record).size > 0))
      .map(bodyOf);
  }

  /** By full id, name, or unique beginning of an id. @throws BerthError `not-found`, `invalid` */
  get(ref: string): NetworkRecord {
    const all = [...this.#records.values()];
    const exact = this.#records.get(ref) ?? all.find(({ name }) => name === ref);
    if (exact) return exact;
    const matches = /^[0-9a-f]{1,64}$/.test(ref) ? all.filter(({ id }) => id.startsWith(ref)) : [];
    if (matches.length > 1) throw new BerthError('invalid', `multiple IDs found with provided prefix: ${ref}`);
    if (!matches[0]) throw new BerthError('not-found', `network ${ref} not found`);
    return matches[0];
  }

  /** By full id or name; undefined when it is gone. */
  find(ref: string): NetworkRecord | undefined {
    return this.#records.get(ref) ?? [...this.#records.values()].find(({ name }) => name === ref);
  }

  /** The network with subnets: those of the default bridge are chosen when it is first used, and kept. */
  async ready(record: NetworkRecord): Promise<NetworkRecord> {
    if (record.driver !== 'bridge' || record.subnets.length > 0) return record;
    return await this.#inTurn(async () => {
      const known = this.#records.get(record.id) ?? record;
      if (known.subnets.length > 0) return known;
      const taken = [...this.#records.values()].flatMap(({ name, subnets }) =>
        subnets.map(({ subnet }) => ({ name, subnet })),
      );
      const complete = { ...known, subnets: [this.#ports.networks.planSubnet({ family: 4 }, taken)] };
      await this.#ports.store.write('network', record.id, complete);
      this.#records.set(record.id, complete);
      return complete;
    });
  }

  /** Makes the network exist on the machine. */
  ensure(record: NetworkRecord): void {
    if (record.driver === 'bridge') this.#ports.networks.ensureBridge(this.#bridgeRequest(record));
  }

  /** The interface of the host that a bridge network is. */
  bridgeOf(record: NetworkRecord): string {
    return this.#bridgeOf(record);
  }

  /** @param options.quiet it was there already, for an earlier engine */
  join(record: NetworkRecord, container: string, member: Member, options: { readonly quiet?: boolean } = {}): void {
    const members = this.#members.get(record.id) ?? new Map();
    this.#members.set(record.id, members.set(container, member));
    this.#enlist(record.id, container, member);
    if (!options.quiet) this.#tell('connect', record, container);
  }

  /** A container is called otherwise now. */
  rename(container: string, name: string): void {
    for (const [network, members] of this.#members) {
      const member = members.get(container);
      if (!member) continue;
      const names = member.names.map((one) => (one === member.name ? name : one));
      const renamed = { ...member, name, names };
      members.set(container, renamed);
      this.#enlist(network, container, renamed);
    }
  }

  /** Gives back what a member has. Idempotent; who joined under an earlier engine only, by its record, has nothing. */
  leave(record: NetworkRecord, container: string): void {
    const members = this.#members.get(record.id);
    const member = members?.get(container);
    if (!member) return;
    members?.delete(container);
    this.names.leave(record.id, container);
    this.addresses.release(record, member.endpoint);
    this.#tell('disconnect', record, container);
  }

  #enlist(network: string, container: string, { name, names, endpoint }: Member): void {
    const { ipv4, ipv6 } = endpoint;
    this.names.join(network, container, {
      name,
      names,
      ...(ipv4 ? { ipv4: plainAddress(ipv4) } : {}),
      ...(ipv6 ? { ipv6: plainAddress(ipv6) } : {}),
    });
  }

  #membersOf({ id }: NetworkRecord): ReadonlyMap<string, Member> {
    return this.#members.get(id) ?? new Map();
  }

  async #delete(record: NetworkRecord): Promise<void> {
    if (record.driver === 'bridge') await this.#ports.networks.removeBridge(this.#bridgeOf(record));
    await this.#ports.store.remove('network', record.id);
    this.#records.delete(record.id);
    this.addresses.forget(record);
    this.#members.delete(record.id);
    this.#tell('destroy', record);
  }

  #bridgeOf({ id, options }: NetworkRecord): string {
    return options[networkOptions.bridge] ?? `br-${id.slice(0, 12)}`;
  }

  #bridgeRequest(record: NetworkRecord): BridgeRequest {
    const { subnets, internal, options } = record;
    const mtu = options[networkOptions.mtu];
    return {
      bridge: this.#bridgeOf(record),
      subnets,
      internal,
      neighbours: options[networkOptions.neighbours] !== 'false',
      masquerade: options[networkOptions.masquerade] !== 'false',
      ...(mtu ? { mtu: Number(mtu) } : {}),
    };
  }

  #tell(action: string, { id, name, driver }: NetworkRecord, container?: string): void {
    this.#publish('network', action, id, { name, type: driver, ...(container ? { container } : {}) });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#turn.then(work, work);
    this.#turn = run.catch(() => undefined);
    return await run;
  }
}

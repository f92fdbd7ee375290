import { randomBytes } from 'node:crypto';
import type { VolumeBody, VolumeCreateBody, VolumeListBody, VolumesPruned } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import { formatRfc3339Nano } from '../../units/index.ts';
import type { VolumesApi } from '../api.ts';
import type { PublishEvent } from '../events/bus.ts';
import type { EnginePorts } from '../ports.ts';
import { isPrunable, volumeFilter } from './filters.ts';
import { ANONYMOUS_LABEL, type VolumeRecord } from './record.ts';

/** A volume that a container asks for. */
export interface VolumeRequest {
  /** Absent: a new one that goes with the container. */
  readonly name?: string;
  readonly driver?: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

type VolumePorts = Pick<EnginePorts, 'volumes' | 'store' | 'clock'>;

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** It is the name of a folder, too. */
const MAX_NAME = 200;

/**
 * The volumes of an engine. A volume is used by every container whose record names it, and mounted while one of them
 * runs; one that is used cannot be removed.
 */
export class Volumes implements VolumesApi {
  readonly #ports: VolumePorts;
  readonly #publish: PublishEvent;
  readonly #records = new Map<string, VolumeRecord>();
  readonly #users = new Map<string, Set<string>>();
  readonly #runners = new Map<string, Set<string>>();
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(ports: VolumePorts, publish: PublishEvent) {
    this.#ports = ports;
    this.#publish = publish;
  }

  /** Reads what an earlier engine left. Data without a record, or with a damaged one, is a volume all the same. */
  async load(): Promise<void> {
    const { store, volumes, clock } = this.#ports;
    for (const name of await volumes.names()) {
      const record = await store.read<VolumeRecord>('volume', name).catch(() => undefined);
      this.#records.set(name, record ?? newRecord(name, clock.now(), {}));
    }
  }

  /** Unmounts what no running container has any more. After containers were taken over. */
  async recover(): Promise<void> {
    for (const name of this.#records.keys()) {
      if (!this.#runners.get(name)?.size) await this.#ports.volumes.unmount(name).catch(() => undefined);
    }
  }

  async create(body: VolumeCreateBody): Promise<VolumeBody> {
    const request = {
      ...(body.Name ? { name: body.Name } : {}),
      ...(body.Driver ? { driver: body.Driver } : {}),
      options: body.DriverOpts ?? {},
      labels: body.Labels ?? {},
    };
    return this.#body(await this.#ensure(request));
  }

  async inspect(name: string): Promise<VolumeBody> {
    return this.#body(this.#get(name));
  }

  async list({ filters }: Parameters<VolumesApi['list']>[0]): Promise<VolumeListBody> {
    const accepts = volumeFilter(filters);
    const found = [...this.#records.values()].filter((record) => accepts(record, this.#isUsed(record.name)));
    return { Volumes: found.sort(byName).map((record) => this.#body(record)), Warnings: null };
  }

  async remove(name: string, { force }: { readonly force: boolean }): Promise<void> {
    await this.#inTurn(name, async () => {
      if (force && !this.#records.has(name)) return;
      this.#get(name);
      const users = [...(this.#users.get(name) ?? [])];
      if (users.length > 0) {
        throw new BerthError('conflict', `remove ${name}: volume is in use - [${users.join(', ')}]`, {
          hint: 'remove the containers that have it first',
        });
      }
      await this.#delete(name);
    });
  }

  async prune({ filters }: Parameters<VolumesApi['prune']>[0]): Promise<VolumesPruned> {
    const deleted: string[] = [];
    let bytes = 0;
    for (const record of [...this.#records.values()].filter((volume) => isPrunable(volume, filters))) {
      await this.#inTurn(record.name, async () => {
        if (!this.#records.has(record.name) || this.#isUsed(record.name)) return;
        bytes += await this.#ports.volumes.usage(record.name);
        await this.#delete(record.name);
        deleted.push(record.name);
      });
    }
    this.#publish('volume', 'prune', '', { reclaimed: String(bytes) });
    return { VolumesDeleted: deleted, SpaceReclaimed: bytes };
  }

  /** With its size and users, as `system df` wants them. */
  async usage(): Promise<readonly VolumeBody[]> {
    return await Promise.all(
      [...this.#records.values()].sort(byName).map(async (record) => ({
        ...this.#body(record),
        UsageData: {
          Size: await this.#ports.volumes.usage(record.name),
          RefCount: this.#users.get(record.name)?.size ?? 0,
        },
      })),
    );
  }

  /**
   * Gives a container a volume, which is made when there is none of that name.
   * @throws BerthError `invalid` (name, options), `not-found` (driver)
   */
  async acquire(container: string, request: VolumeRequest): Promise<{ readonly name: string; readonly path: string }> {
    const { name } = await this.#ensure(request, container);
    return { name, path: this.#ports.volumes.pathOf(name) };
  }

  /** Notes that a container has a volume: of its record, after a restart. A lost volume is made again, empty. */
  async adopt(container: string, name: string): Promise<void> {
    await this.#ensure({ name }, container);
  }

  /** Fills a volume that is empty with what its first container's image has in its place. */
  async populate(name: string, source: { readonly root: string; readonly path: string }): Promise<void> {
    await this.#inTurn(name, () => this.#ports.volumes.populate(name, source));
  }

  /** Makes the data available to a container that is about to run. */
  async mount(container: string, name: string): Promise<void> {
    await this.#inTurn(name, async () => {
      const { options } = this.#get(name);
      await this.#ports.volumes.mount(name, options);
      setOf(this.#runners, name).add(container);
    });
  }

  async unmount(container: string, name: string): Promise<void> {
    await this.#inTurn(name, async () => {
      const runners = setOf(this.#runners, name);
      if (!runners.delete(container) || runners.size > 0) return;
      if (this.#records.has(name)) await this.#ports.volumes.unmount(name);
    });
  }

  /** A container has a volume no more. */
  async release(container: string, name: string, { remove }: { readonly remove: boolean }): Promise<void> {
    await this.#inTurn(name, async () => {
      setOf(this.#users, name).delete(container);
      if (remove && this.#records.get(name)?.anonymous && !this.#isUsed(name)) await this.#delete(name);
    });
  }

  async #ensure(request: VolumeRequest, container?: string): Promise<VolumeRecord> {
    const { name = randomBytes(32).toString('hex'), driver = 'local' } = request;
    if (driver !== 'local') {
      throw new BerthError(
        'not-found',
        `error looking up volume plugin ${driver}: plugin ${JSON.stringify(driver)} not found`,
        {
          hint: 'the driver "local" mounts folders, tmpfs and NFS by its options type, device and o',
        },
      );
    }
    if (request.name !== undefined) checkName(request.name);
    return await this.#inTurn(name, async () => {
      const record = this.#records.get(name) ?? (await this.#make(name, request));
      if (container !== undefined) setOf(this.#users, name).add(container);
      return record;
    });
  }

  async #make(name: string, { options = {}, labels = {}, ...request }: VolumeRequest): Promise<VolumeRecord> {
    const { volumes, store, clock } = this.#ports;
    volumes.checkOptions(options);
    const isAnonymous = request.name === undefined;
    const record = {
      ...newRecord(name, clock.now(), options),
      labels: isAnonymous ? { ...labels, [ANONYMOUS_LABEL]: '' } : labels,
      anonymous: isAnonymous,
    };
    await volumes.create(name);
    await store.write('volume', name, record);
    this.#records.set(name, record);
    this.#publish('volume', 'create', name, { driver: 'local' });
    return record;
  }

  async #delete(name: string): Promise<void> {
    await this.#ports.volumes.remove(name);
    this.#records.delete(name);
    this.#users.delete(name);
    this.#runners.delete(name);
    this.#publish('volume', 'destroy', name, { driver: 'local' });
  }

  #get(name: string): VolumeRecord {
    const record = this.#records.get(name);
    if (record) return record;
    throw new BerthError('not-found', `get ${name}: no such volume`);
  }

  #isUsed(name: string): boolean {
    return (this.#users.get(name)?.size ?? 0) > 0;
  }

  #body({ name, options, labels, createdAt }: VolumeRecord): VolumeBody {
    return {
      CreatedAt: formatRfc3339Nano(createdAt),
      Driver: 'local',
      Labels: sorted(labels),
      Mountpoint: this.#ports.volumes.pathOf(name),
      Name: name,
      Options: sorted(options),
      Scope: 'local',
    };
  }

  /** What changes one volume happens one after the other. */
  async #inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(name) ?? Promise.resolve();
    const run = before.then(work, work);
    this.#turns.set(name, run);
    try {
      return await run;
    } finally {
      if (this.#turns.get(name) === run) this.#turns.delete(name);
    }
  }
}

/** As Go prints maps; null for none. */
function sorted(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> | null {
  const entries = Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length > 0 ? Object.fromEntries(entries) : null;
}

function newRecord(name: string, createdAt: number, options: VolumeRecord['options']): VolumeRecord {
  return { format: 1, name, options, labels: {}, createdAt, anonymous: false };
}

function checkName(name: string): void {
  if (NAME.test(name) && name.length <= MAX_NAME) return;
  throw new BerthError(
    'invalid',
    `create ${name.slice(0, MAX_NAME)}: ${JSON.stringify(name.slice(0, MAX_NAME))} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed`,
    { hint: 'If you intended to pass a host directory, use absolute path' },
  );
}

function setOf(sets: Map<string, Set<string>>, key: string): Set<string> {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set);
  return set;
}

function byName(a: VolumeRecord, b: VolumeRecord): number {
  return a.name < b.name ? -1 : 1;
}

import { createEngine, type Engine } from '../../src/engine/index.ts';
import type {
  CommittedLayer,
  ContainerRuntime,
  EnginePorts,
  EngineSnapshots,
  ImageStore,
  LayerGarbage,
  ObjectKind,
  ObjectStore,
  Spool,
  StoredImage,
} from '../../src/engine/ports.ts';
import { BerthError } from '../../src/errors/index.ts';
import {
  type ChainId,
  type ContainerConfig,
  canonicalJson,
  type DiffId,
  type ImageConfig,
  type ImageId,
  sha256,
} from '../../src/oci/index.ts';
import { FakeNetworks } from './fake-networks.ts';
import { FakeRuntime } from './fake-runtime.ts';
import { FakeVolumes } from './fake-volumes.ts';

/** A clock that stands still until a test moves it. */
export class FakeClock {
  ms = Date.parse('2026-01-01T00:00:00Z');

  now(): number {
    return this.ms;
  }
}

/** Writable layers as names in a set. */
export class FakeSnapshots implements EngineSnapshots {
  readonly driver = 'fake';
  readonly layers = new Set<string>();
  readonly mounted = new Set<string>();
  mountFailure: Error | undefined;

  async has(): Promise<boolean> {
    return true;
  }

  async create(id: string): Promise<void> {
    this.layers.add(id);
  }

  async mount(id: string) {
    if (this.mountFailure) throw this.mountFailure;
    if (!this.layers.has(id)) throw new BerthError('not-found', `no layer ${id}`);
    this.mounted.add(id);
    return { id, path: `/roots/${id}`, parent: null };
  }

  async unmount(id: string): Promise<void> {
    this.mounted.delete(id);
  }

  async remove(id: string): Promise<void> {
    this.mounted.delete(id);
    this.layers.delete(id);
  }

  async ids(): Promise<readonly string[]> {
    return [...this.layers];
  }

  async commitCopy(id: string): Promise<CommittedLayer> {
    const diffId = sha256(`changes of ${id}`) as DiffId;
    return { diffId, chainId: sha256(`chain of ${id}`) as ChainId, sizeBytes: 7 };
  }

  async *exportTar(id: string): AsyncGenerator<Uint8Array> {
    if (!this.mounted.has(id)) throw new Error('not mounted');
    yield Buffer.from(`tree of ${id}`);
  }

  async usage(): Promise<number> {
    return 5;
  }

  async apply(): Promise<CommittedLayer> {
    throw new Error('not faked');
  }

  async *layerTar(): AsyncGenerator<Uint8Array> {}

  async layerInfo(chain: ChainId) {
    return { chainId: chain, diffId: chain as string as DiffId, sizeBytes: 100, tarBytes: 200 };
  }

  async removeLayer(): Promise<void> {}
}

export class FakeImages implements ImageStore {
  readonly images = new Map<ImageId, StoredImage>();

  /** An image of one layer. */
  add(name: string, config: ContainerConfig = { Cmd: ['sh'] }, layers: readonly string[] = ['base']): StoredImage {
    const document: ImageConfig = {
      architecture: 'amd64',
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => sha256(layer) as DiffId) },
    };
    return this.#store(Buffer.from(canonicalJson(document)), [`docker.io/library/${name}`]);
  }

  async find(name: string): Promise<StoredImage | undefined> {
    return [...this.images.values()].find(({ names }) => names.includes(name));
  }

  async get(id: ImageId): Promise<StoredImage | undefined> {
    return this.images.get(id);
  }

  async list(): Promise<readonly StoredImage[]> {
    return [...this.images.values()];
  }

  async put(configBytes: Uint8Array, names: readonly string[]): Promise<StoredImage> {
    return this.#store(configBytes, names);
  }

  async tag(id: ImageId, name: string): Promise<void> {
    const image = this.images.get(id);
    if (image) this.images.set(id, { ...image, names: [...image.names, name] });
  }

  async untag(name: string): Promise<void> {
    for (const [id, image] of this.images) {
      this.images.set(id, { ...image, names: image.names.filter((other) => other !== name) });
    }
  }

  async remove(id: ImageId): Promise<void> {
    this.images.delete(id);
  }

  #store(configBytes: Uint8Array, names: readonly string[]): StoredImage {
    const id = sha256(configBytes) as ImageId;
    const config = JSON.parse(Buffer.from(configBytes).toString()) as ImageConfig;
    const image = { id, config, configBytes, names, repoDigests: [], taggedAt: '2026-01-01T00:00:00Z' };
    for (const name of names) this.untag(name);
    this.images.set(id, image);
    return image;
  }
}

/** Documents as text, so that nothing is shared with whoever wrote them. */
export class FakeStore implements ObjectStore {
  readonly documents = new Map<string, string>();

  /** How many containers are on record. */
  get containers(): number {
    return [...this.documents.keys()].filter((key) => !key.includes('/')).length;
  }
  writes = 0;
  writeFailure: Error | undefined;

  async read<T>(kind: ObjectKind, id: string): Promise<T | undefined> {
    const text = this.documents.get(keyOf(kind, id));
    return text === undefined ? undefined : (JSON.parse(text) as T);
  }

  async write(kind: ObjectKind, id: string, value: unknown): Promise<void> {
    const text = JSON.stringify(value);
    await Promise.resolve();
    if (this.writeFailure) throw this.writeFailure;
    this.writes++;
    this.documents.set(keyOf(kind, id), text);
  }

  async remove(kind: ObjectKind, id: string): Promise<void> {
    this.documents.delete(keyOf(kind, id));
  }

  async list(kind: ObjectKind): Promise<readonly string[]> {
    const prefix = keyOf(kind, '');
    return [...this.documents.keys()].flatMap((key) =>
      kind === 'container'
        ? key.includes('/')
          ? []
          : [key]
        : key.startsWith(prefix)
          ? [key.slice(prefix.length)]
          : [],
    );
  }

  async folder(_kind: ObjectKind, id: string): Promise<string> {
    return `/data/${id}`;
  }
}

/** Containers are found by their id alone. */
function keyOf(kind: ObjectKind, id: string): string {
  return kind === 'container' ? id : `${kind}/${id}`;
}

const garbage: LayerGarbage = {
  lease: async () => () => undefined,
  removeUnneeded: async () => [],
};

const spool: Spool = {
  open: async () => {
    throw new Error('not faked');
  },
};

/** A machine that exists in memory only, with one image: `box`. */
export class FakeMachine {
  readonly clock = new FakeClock();
  readonly snapshots = new FakeSnapshots();
  readonly images = new FakeImages();
  readonly store = new FakeStore();
  readonly volumes = new FakeVolumes();
  readonly networks = new FakeNetworks();
  readonly runtime = new FakeRuntime();
  #engines = 0;

  constructor() {
    this.runtime.now = () => this.clock.ms;
    this.images.add('box:latest', { Cmd: ['sh'], Env: ['PATH=/bin', 'A=image'], WorkingDir: '/work' });
  }

  get ports(): EnginePorts {
    const { clock, snapshots, images, store, volumes, networks } = this;
    const defaults = { runtime: 'crun', runtimes: ['crun', 'runc'] };
    const runtime = this.#heardBy(this.#engines);
    return { clock, snapshots, images, store, volumes, networks, runtime, garbage, spool, defaults };
  }

  /** A new engine on what is there: what a restart after `kill -9` is. The one before hears of no exit any more. */
  async engine(): Promise<Engine> {
    this.kill();
    const engine = await createEngine(this.ports);
    await engine.recover();
    return engine;
  }

  /** The end of the engine, without a farewell. */
  kill(): void {
    this.#engines++;
  }

  #heardBy(engine: number): ContainerRuntime {
    const { runtime } = this;
    const exited = async (id: string) => {
      const status = await runtime.exited(id);
      return engine === this.#engines ? status : new Promise<never>(() => undefined);
    };
    return new Proxy<ContainerRuntime>(runtime, {
      get: (_target, key: keyof FakeRuntime) => {
        const member = key === 'exited' ? exited : runtime[key];
        return typeof member === 'function' ? member.bind(runtime) : member;
      },
    });
  }
}

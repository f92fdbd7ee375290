import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type {
  ContainerCreateBody,
  ContainerInspect,
  ContainerSummary,
  ExecCreateBody,
  ImageInspect,
  ImageSummary,
  NetworkBody,
  StatsBody,
  VersionBody,
  VolumeBody,
  WaitResult,
} from '../../../src/api/contract/index.ts';
import { API_VERSION, encodeFrame, MIN_API_VERSION } from '../../../src/api/contract/index.ts';
import {
  type ApiServer,
  type ApiServerOptions,
  type BuildsApi,
  createApiServer,
  type SystemApi,
} from '../../../src/api/server/index.ts';
import type { Attachment, AttachQuery, EngineApi, LogsQuery } from '../../../src/engine/api.ts';
import type { UsageApi } from '../../../src/engine/index.ts';
import { BerthError } from '../../../src/errors/index.ts';
import type { ImageId } from '../../../src/oci/index.ts';

export const CONTAINER_ID = 'c0ffee'.padEnd(64, '0');
export const IMAGE_ID = `sha256:${'1'.repeat(64)}` as ImageId;

/** An engine of one container, which echoes its input in upper case, and one image. It keeps what it was asked. */
export class FakeEngine implements EngineApi {
  readonly calls: { readonly name: string; readonly args: readonly unknown[] }[] = [];
  /** What the next attach, exec or logs says of its terminal. */
  tty = false;
  /** Set to make the next call fail. */
  failure: BerthError | undefined;
  readonly #exit = Promise.withResolvers<WaitResult>();
  /** Resolves when a stream that was asked for is abandoned. */
  readonly abandoned = Promise.withResolvers<void>();

  readonly containers: EngineApi['containers'] = {
    create: async (name, body: ContainerCreateBody) => {
      this.#note('create', name, body);
      return { Id: CONTAINER_ID, Warnings: [] };
    },
    start: async (ref) => {
      this.#note('start', ref);
      this.#exit.resolve({ StatusCode: 7, Error: null });
    },
    stop: async (ref, options) => this.#note('stop', ref, options),
    restart: async (ref, options) => this.#note('restart', ref, options),
    kill: async (ref, signal) => this.#note('kill', ref, signal),
    remove: async (ref, options) => this.#note('remove', ref, options),
    rename: async (ref, name) => this.#note('rename', ref, name),
    pause: async (ref) => this.#note('pause', ref),
    unpause: async (ref) => this.#note('unpause', ref),
    update: async (ref, body) => {
      this.#note('update', ref, body);
      return { Warnings: [] };
    },
    stats: async (ref, { stream, oneShot, signal }) => {
      this.#note('stats', ref, { stream, oneShot });
      signal.addEventListener('abort', () => this.abandoned.resolve());
      return (async function* () {
        for (let current = 1; current <= (stream ? 3 : 1); current++) {
          yield { name: '/web', id: CONTAINER_ID, pids_stats: { current } } as StatsBody;
        }
      })();
    },
    wait: async (ref, condition, signal) => {
      this.#note('wait', ref, condition);
      signal.addEventListener('abort', () => this.abandoned.resolve());
      return { result: this.#exit.promise };
    },
    inspect: async (ref, options) => {
      this.#note('inspect', ref, options);
      return inspectBody(this.tty);
    },
    list: async (options) => {
      this.#note('list', options);
      return [summary];
    },
    logs: async (ref, options: LogsQuery) => {
      this.#note('logs', ref, options);
      return { tty: this.tty, entries: this.#logEntries(options) };
    },
    attach: async (ref, query: AttachQuery) => {
      this.#note('attach', ref, query);
      return echo(this.tty);
    },
    resize: async (ref, rows, columns) => this.#note('resize', ref, rows, columns),
    exportTar: async (ref) => {
      this.#note('export', ref);
      return bytes('tar one', 'tar two');
    },
    commit: async (ref, options) => {
      this.#note('commit', ref, options);
      return { Id: IMAGE_ID };
    },
    top: async (ref, psArgs) => {
      this.#note('top', ref, psArgs);
      return { Titles: ['PID', 'CMD'], Processes: [['1', 'sh']] };
    },
  };

  readonly execs: EngineApi['execs'] = {
    create: async (ref, body: ExecCreateBody) => {
      this.#note('exec create', ref, body);
      return { Id: 'e'.repeat(64) };
    },
    start: async (id, options) => {
      this.#note('exec start', id, options);
      return options.detach ? null : echo(options.tty);
    },
    resize: async (id, rows, columns) => this.#note('exec resize', id, rows, columns),
    inspect: async (id) => {
      this.#note('exec inspect', id);
      return {
        ID: id,
        Running: false,
        ExitCode: 5,
        ProcessConfig: { tty: false, entrypoint: 'cat', arguments: [], privileged: false },
        OpenStdin: true,
        OpenStderr: true,
        OpenStdout: true,
        CanRemove: false,
        ContainerID: CONTAINER_ID,
        DetachKeys: '',
        Pid: 0,
      };
    },
  };

  readonly volumes: EngineApi['volumes'] = {
    create: async (body) => {
      this.#note('volume create', body);
      return volume(body.Name ?? 'data');
    },
    inspect: async (name) => {
      this.#note('volume inspect', name);
      return volume(name);
    },
    list: async (options) => {
      this.#note('volume list', options);
      return { Volumes: [volume('data')], Warnings: null };
    },
    remove: async (name, options) => this.#note('volume remove', name, options),
    prune: async (options) => {
      this.#note('volume prune', options);
      return { VolumesDeleted: ['data'], SpaceReclaimed: 7 };
    },
    usage: async () => [],
  };

  readonly networks: EngineApi['networks'] = {
    create: async (body) => {
      this.#note('network create', body);
      return { Id: NETWORK_ID, Warning: '' };
    },
    inspect: async (ref) => {
      this.#note('network inspect', ref);
      return network(ref);
    },
    list: async (options) => {
      this.#note('network list', options);
      return [network('front')];
    },
    remove: async (ref) => this.#note('network remove', ref),
    prune: async (options) => {
      this.#note('network prune', options);
      return { NetworksDeleted: ['front'] };
    },
    connect: async (ref, container, settings) => this.#note('network connect', ref, container, settings),
    disconnect: async (ref, container) => this.#note('network disconnect', ref, container),
  };

  readonly images: EngineApi['images'] = {
    list: async (options) => {
      this.#note('image list', options);
      return [imageSummary];
    },
    inspect: async (ref) => {
      this.#note('image inspect', ref);
      return imageInspect;
    },
    history: async (ref) => {
      this.#note('history', ref);
      return [
        { Id: IMAGE_ID, Created: 1_700_000_000, CreatedBy: 'RUN x', Tags: ['busybox:latest'], Size: 5, Comment: '' },
      ];
    },
    tag: async (ref, repo, tag) => this.#note('tag', ref, repo, tag),
    remove: async (ref, options) => {
      this.#note('image remove', ref, options);
      return [{ Untagged: 'busybox:latest' }, { Deleted: IMAGE_ID }];
    },
    save: async (refs) => {
      this.#note('save', refs);
      return bytes('saved ', refs.join(' '));
    },
    load: (tar) => this.#receive('load', tar),
    import: (tar, { signal: _, ...options }) => this.#receive('import', tar, options),
  };

  readonly events: EngineApi['events'] = {
    subscribe: (options) => {
      this.#note('events', options);
      return this.#eventStream(options.until, options.signal);
    },
  };

  called(name: string): readonly unknown[] | undefined {
    return this.calls.find((call) => call.name === name)?.args;
  }

  #note(name: string, ...args: unknown[]): void {
    this.calls.push({ name, args });
    const { failure } = this;
    if (failure) throw failure;
  }

  async *#logEntries({ follow, signal }: LogsQuery) {
    yield { time: '2026-01-02T03:04:05.000000006Z', stream: 'stdout' as const, line: Buffer.from('out\n') };
    yield { time: '2026-01-02T03:04:06.000000007Z', stream: 'stderr' as const, line: Buffer.from('err\n') };
    if (!follow) return;
    await aborted(signal);
    this.abandoned.resolve();
  }

  async *#receive(name: string, tar: AsyncIterable<Uint8Array>, options?: object) {
    let size = 0;
    for await (const chunk of tar) size += chunk.length;
    this.#note(name, size, options);
    yield { status: `read ${size} bytes` };
  }

  async *#eventStream(until: number | undefined, signal: AbortSignal) {
    const event = {
      Type: 'container',
      Action: 'start',
      scope: 'local',
      time: 1_700_000_000,
      timeNano: 1_700_000_000_000_000_000,
    } as const;
    yield { ...event, Actor: { ID: CONTAINER_ID, Attributes: { image: 'busybox', name: 'box' } } };
    if (until === undefined) await aborted(signal);
  }
}

/** Answers each chunk in upper case; says goodbye at the end of input. */
function echo(tty: boolean): Attachment {
  return {
    tty,
    async bind(connection: Duplex) {
      const say = (text: string) => connection.write(tty ? text : encodeFrame('stdout', Buffer.from(text)));
      for await (const chunk of connection) say(String(chunk).toUpperCase());
      if (!tty) connection.write(encodeFrame('stderr', Buffer.from('bye\n')));
      else say('bye\n');
    },
  };
}

async function* bytes(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

const summary: ContainerSummary = {
  Id: CONTAINER_ID,
  Names: ['/box'],
  Image: 'busybox',
  ImageID: IMAGE_ID,
  Command: 'cat',
  Created: 1_700_000_000,
  Ports: [],
  Labels: {},
  State: 'exited',
  Status: 'Exited (7) 2 minutes ago',
  HostConfig: { NetworkMode: 'host' },
  NetworkSettings: { Networks: {} },
  Mounts: [],
};

const imageSummary: ImageSummary = {
  Id: IMAGE_ID,
  ParentId: '',
  RepoTags: ['busybox:latest'],
  RepoDigests: [],
  Created: 1_700_000_000,
  Size: 1_234_567,
  SharedSize: -1,
  Labels: null,
  Containers: -1,
};

const imageInspect: ImageInspect = {
  Id: IMAGE_ID,
  RepoTags: ['busybox:latest'],
  RepoDigests: [],
  Parent: '',
  Comment: '',
  Created: '2026-01-01T00:00:00Z',
  DockerVersion: '',
  Author: '',
  Config: {},
  Architecture: 'amd64',
  Os: 'linux',
  Size: 1_234_567,
  GraphDriver: { Name: 'overlay2', Data: null },
  RootFS: { Type: 'layers', Layers: [] },
  Metadata: { LastTagTime: '0001-01-01T00:00:00Z' },
};

function inspectBody(tty: boolean): ContainerInspect {
  return {
    Id: CONTAINER_ID,
    Created: '2026-01-01T00:00:00Z',
    Path: 'cat',
    Args: [],
    State: {
      Status: 'running',
      Running: true,
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      Dead: false,
      Pid: 1,
      ExitCode: 0,
      Error: '',
      StartedAt: '2026-01-01T00:00:00Z',
      FinishedAt: '0001-01-01T00:00:00Z',
    },
    Image: IMAGE_ID,
    ResolvConfPath: '',
    HostnamePath: '',
    HostsPath: '',
    LogPath: '',
    Name: '/box',
    RestartCount: 0,
    Driver: 'overlay2',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: null,
    HostConfig: { NetworkMode: 'host', LogConfig: { Type: 'json-file', Config: {} } },
    GraphDriver: { Name: 'overlay2', Data: null },
    Mounts: [],
    Config: { Tty: tty, OpenStdin: true, Cmd: ['cat'], Image: 'busybox' },
    NetworkSettings: { Ports: {}, Networks: {} },
  };
}

const version: VersionBody = {
  Platform: { Name: 'Berth' },
  Components: [{ Name: 'Engine', Version: '0.1.0', Details: { ApiVersion: API_VERSION } }],
  Version: '0.1.0',
  ApiVersion: API_VERSION,
  MinAPIVersion: MIN_API_VERSION,
  GitCommit: '',
  GoVersion: '',
  Os: 'linux',
  Arch: 'amd64',
  KernelVersion: '6.0',
  BuildTime: '',
};

export const fakeSystem: SystemApi = {
  facts: { version: '0.1.0', experimental: false },
  version: () => version,
  info: async () => ({
    ID: 'berth',
    Containers: 1,
    Images: 1,
    Driver: 'overlay2',
    ServerVersion: '0.1.0',
    OSType: 'linux',
    Name: 'here',
  }),
};

export const noBuilds: BuildsApi = {
  async build() {
    throw new BerthError('invalid', 'no build was expected');
  },
};

const notAsked = async (): Promise<never> => {
  throw new BerthError('invalid', 'nobody was expected to ask for disk usage');
};
export const noUsage: UsageApi = {
  diskUsage: notAsked,
  pruneImages: notAsked,
  pruneContainers: notAsked,
  pruneBuildCache: notAsked,
};

const NETWORK_ID = 'd'.repeat(64);

function network(name: string): NetworkBody {
  return {
    Name: name,
    Id: NETWORK_ID,
    Created: '2026-01-01T00:00:00Z',
    Scope: 'local',
    Driver: 'bridge',
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: 'default', Options: null, Config: [{ Subnet: '172.18.0.0/16', Gateway: '172.18.0.1' }] },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: {},
    Options: {},
    Labels: {},
  };
}

export interface TestBed {
  readonly engine: FakeEngine;
  readonly server: ApiServer;
  readonly socketPath: string;
  readonly host: string;
  readonly failures: unknown[];
  close(): Promise<void>;
}

/** A server on a socket in a folder of its own. */
export async function startTestBed(options: Partial<ApiServerOptions> = {}): Promise<TestBed> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-api-'));
  const socketPath = join(folder, 'berth.sock');
  const engine = new FakeEngine();
  const failures: unknown[] = [];
  const log = (message: string, error?: unknown) => void failures.push([message, error]);
  const server = createApiServer({ engine, system: fakeSystem, builds: noBuilds, usage: noUsage, log, ...options });
  await server.listenUnix({ path: socketPath });
  return {
    engine,
    server,
    socketPath,
    host: `unix://${socketPath}`,
    failures,
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function volume(name: string): VolumeBody {
  return {
    Name: name,
    Driver: 'local',
    Mountpoint: `/volumes/${name}/_data`,
    CreatedAt: '2026-01-01T00:00:00Z',
    Labels: null,
    Scope: 'local',
    Options: null,
  };
}

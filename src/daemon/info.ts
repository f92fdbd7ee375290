import { readFileSync } from 'node:fs';
import { arch, release } from 'node:os';
import packageJson from '../../package.json' with { type: 'json' };
import { API_VERSION, MIN_API_VERSION } from '../api/contract/index.ts';
import type { SystemApi } from '../api/server/index.ts';
import type { Engine } from '../engine/index.ts';
import { hostPlatform } from '../oci/index.ts';
import { type DriverChoice, hostFacts, hostLimits } from '../runtime/index.ts';
import type { EngineConfig } from './config.ts';

export interface SystemOptions {
  readonly config: EngineConfig;
  readonly engine: Engine;
  readonly storage: DriverChoice;
}

const { architecture } = hostPlatform(arch());

/** Answers what clients ask about the engine itself: `/version` and `/info`. */
export function createSystem({ config, engine, storage }: SystemOptions): SystemApi {
  return {
    facts: { version: packageJson.version, experimental: false },
    version: () => ({
      Platform: { Name: 'Berth' },
      Components: [
        {
          Name: 'Engine',
          Version: packageJson.version,
          Details: { Os: 'linux', Arch: architecture, NodeVersion: process.version },
        },
      ],
      Version: packageJson.version,
      ApiVersion: API_VERSION,
      MinAPIVersion: MIN_API_VERSION,
      GitCommit: '',
      GoVersion: `node ${process.version}`,
      Os: 'linux',
      Arch: architecture,
      KernelVersion: release(),
      BuildTime: '',
    }),
    async info() {
      const [containers, images, host] = await Promise.all([
        engine.containers.list({ all: true, size: false, filters: new Map() }),
        engine.images.list({ all: false, filters: new Map() }),
        hostFacts(),
      ]);
      const count = (state: string) => containers.filter((container) => container.State === state).length;
      const limits = hostLimits();
      return {
        ID: engineId(config.root),
        Containers: containers.length,
        ContainersRunning: count('running'),
        ContainersPaused: count('paused'),
        ContainersStopped: containers.length - count('running') - count('paused'),
        Images: images.length,
        Driver: storage.driver,
        DriverStatus: [
          ['Backing Filesystem', storage.fileSystem],
          ['Backing root', config.root],
          ['Chosen', storage.why],
          ['Layer form', config.layerForm],
        ],
        Plugins: { Volume: [], Network: ['host', 'null'], Authorization: null, Log: ['k8s-file'] },
        LoggingDriver: 'k8s-file',
        CgroupDriver: 'cgroupfs',
        CgroupVersion: host.cgroupVersion,
        MemoryLimit: limits.memory,
        SwapLimit: limits.swap,
        CpuCfsPeriod: limits.cpu,
        CpuCfsQuota: limits.cpu,
        CPUShares: limits.cpu,
        CPUSet: limits.cpuset,
        PidsLimit: limits.pids,
        OomKillDisable: limits.memory && limits.version === '1',
        IPv4Forwarding: true,
        Debug: false,
        NFd: 0,
        NGoroutines: 0,
        NEventsListener: 0,
        SystemTime: new Date().toISOString(),
        KernelVersion: host.kernel,
        OperatingSystem: host.operatingSystem,
        OSVersion: host.osVersion,
        OSType: 'linux',
        Architecture: host.machine,
        NCPU: host.cpus,
        MemTotal: host.memoryBytes,
        IndexServerAddress: 'https://index.docker.io/v1/',
        RegistryConfig: { InsecureRegistryCIDRs: ['127.0.0.0/8', '::1/128'], IndexConfigs: {}, Mirrors: [] },
        DockerRootDir: config.root,
        HttpProxy: '',
        HttpsProxy: '',
        NoProxy: '',
        Name: host.hostname,
        Labels: [],
        ExperimentalBuild: false,
        ServerVersion: packageJson.version,
        Runtimes: { crun: { path: 'crun' }, runc: { path: 'runc' } },
        DefaultRuntime: config.runtime,
        Swarm: {
          NodeID: '',
          NodeAddr: '',
          LocalNodeState: 'inactive',
          ControlAvailable: false,
          Error: '',
          RemoteManagers: null,
        },
        LiveRestoreEnabled: true,
        Isolation: '',
        InitBinary: 'tini',
        ContainerdCommit: { ID: '', Expected: '' },
        RuncCommit: { ID: '', Expected: '' },
        InitCommit: { ID: '', Expected: '' },
        SecurityOptions: ['name=seccomp,profile=builtin'],
        Warnings: host.warnings,
      };
    },
  };
}

/** The same engine keeps its name: it is made of the machine's id and the data folder. */
function engineId(root: string): string {
  try {
    return `${readFileSync('/etc/machine-id', 'utf8').trim()}:${root}`;
  } catch {
    return root;
  }
}

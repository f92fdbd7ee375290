import type { ContainerConfigBody, HostConfigBody, MountPoint } from '../../api/contract/index.ts';
import type { ChainId, ImageId } from '../../oci/index.ts';
import type { ContainerNetwork } from '../networks/record.ts';
import type { ContainerSpec } from '../ports.ts';
import type { ContainerState } from './state.ts';

/** A container as it is kept on disk: what was asked for, what it resolves to, and where it stands. */
export interface ContainerRecord {
  readonly format: 1;
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly image: ImageId;
  /** The image as the user named it. */
  readonly imageName: string;
  /** The root's lower layers; null for an image without layers. */
  readonly chain: ChainId | null;
  /** The request merged with the image's defaults. */
  readonly config: ContainerConfigBody;
  readonly hostConfig: HostConfigBody;
  readonly mounts: readonly MountPoint[];
  /** Volumes that were made for it and that go with it. */
  readonly anonymousVolumes?: readonly string[];
  /** Caches of builds that it has while it runs. */
  readonly caches?: readonly {
    readonly id: string;
    readonly sharing: 'shared' | 'private' | 'locked';
    readonly target: string;
    readonly readonly: boolean;
  }[];
  /** The process to start, but for the place where the root gets mounted. */
  readonly launch: Omit<ContainerSpec, 'rootPath' | 'network' | 'names'> & {
    /** Of records from before there were networks. */
    readonly network?: 'host' | 'none';
  };
  readonly network?: ContainerNetwork;
  readonly logPath: string;
  readonly state: ContainerState;
  /** True while a mounted root or runtime state may exist that has to be cleaned up after a crash. */
  readonly residue: boolean;
}

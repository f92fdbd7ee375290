/** Wire shapes of the Engine API, volumes part. @see Docker Engine API v1.50 */
export interface VolumeBody {
  readonly Name: string;
  readonly Driver: string;
  readonly Mountpoint: string;
  /** RFC 3339. */
  readonly CreatedAt: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Scope: 'local';
  readonly Options: Readonly<Record<string, string>> | null;
  readonly UsageData?: {
    /** Bytes of file content. */
    readonly Size: number;
    /** Containers that have it, running or not. */
    readonly RefCount: number;
  };
}

export interface VolumeCreateBody {
  readonly Name?: string;
  readonly Driver?: string;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

export interface VolumeListBody {
  readonly Volumes: readonly VolumeBody[];
  readonly Warnings: readonly string[] | null;
}

export interface VolumesPruned {
  readonly VolumesDeleted: readonly string[];
  readonly SpaceReclaimed: number;
}

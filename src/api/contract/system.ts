/** Wire shapes of the Engine API, system part. @see Docker Engine API v1.50 */
export interface VersionBody {
  readonly Platform: { readonly Name: string };
  readonly Components: readonly {
    readonly Name: string;
    readonly Version: string;
    readonly Details?: Readonly<Record<string, string>>;
  }[];
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion: string;
  readonly GitCommit: string;
  readonly GoVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly KernelVersion: string;
  readonly BuildTime: string;
}

/** `/info`. A wide object: the fields that clients read are listed in `daemon/info.ts`. */
export type InfoBody = Readonly<Record<string, unknown>>;

export interface EventMessage {
  readonly Type: 'container' | 'image' | 'network' | 'volume' | 'builder' | 'daemon';
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: 'local';
  /** Seconds since the epoch. */
  readonly time: number;
  readonly timeNano: number;
}

/** Decoded `filters` parameter: key to values. */
export type Filters = ReadonlyMap<string, readonly string[]>;

/** The parts of the OCI runtime specification's `config.json` that Berth writes. @see runtime-spec config.md, config-linux.md */
export interface OciConfig {
  readonly ociVersion: string;
  readonly process: OciProcess;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname?: string;
  readonly mounts: readonly OciMount[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux: OciLinux;
}

export interface OciProcess {
  readonly terminal: boolean;
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids?: readonly number[] };
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: OciCapabilities;
  readonly oomScoreAdj?: number;
  readonly rlimits?: readonly { readonly type: string; readonly soft: number; readonly hard: number }[];
  readonly noNewPrivileges?: boolean;
  readonly apparmorProfile?: string;
}

/** Inheritable and ambient are always empty (CVE-2022-24769). */
export interface OciCapabilities {
  readonly bounding: readonly string[];
  readonly effective: readonly string[];
  readonly permitted: readonly string[];
  readonly inheritable: readonly [];
  readonly ambient: readonly [];
}

export interface OciMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface OciDeviceRule {
  readonly allow: boolean;
  readonly type?: 'a' | 'b' | 'c';
  readonly major?: number;
  readonly minor?: number;
  readonly access: string;
}

/** A device node that is made in the container's /dev. */
export interface OciDevice {
  readonly path: string;
  readonly type: 'b' | 'c';
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface OciLinux {
  readonly namespaces: readonly { readonly type: string; readonly path?: string }[];
  readonly cgroupsPath: string;
  readonly resources: OciResources;
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly devices: readonly OciDevice[];
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly seccomp?: OciSeccomp;
}

/** Absent: no limit. */
export interface OciResources {
  readonly devices: readonly OciDeviceRule[];
  readonly memory?: {
    readonly limit?: number | undefined;
    readonly reservation?: number | undefined;
    readonly swap?: number | undefined;
    readonly swappiness?: number | undefined;
    readonly disableOOMKiller?: boolean | undefined;
  };
  readonly cpu?: {
    readonly shares?: number | undefined;
    readonly quota?: number | undefined;
    readonly period?: number | undefined;
    readonly realtimeRuntime?: number | undefined;
    readonly realtimePeriod?: number | undefined;
    readonly cpus?: string | undefined;
    readonly mems?: string | undefined;
  };
  readonly pids?: { readonly limit: number };
  readonly blockIO?: {
    readonly weight?: number | undefined;
    readonly weightDevice?: readonly OciWeight[] | undefined;
    readonly throttleReadBpsDevice?: readonly OciThrottle[] | undefined;
    readonly throttleWriteBpsDevice?: readonly OciThrottle[] | undefined;
    readonly throttleReadIOPSDevice?: readonly OciThrottle[] | undefined;
    readonly throttleWriteIOPSDevice?: readonly OciThrottle[] | undefined;
  };
}

export interface OciThrottle {
  readonly major: number;
  readonly minor: number;
  readonly rate: number;
}

export interface OciWeight {
  readonly major: number;
  readonly minor: number;
  readonly weight: number;
}

export interface OciSeccomp {
  readonly defaultAction: SeccompAction;
  readonly defaultErrnoRet: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly SeccompRule[];
}

export type SeccompAction = 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';

export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArgument[];
}

export interface SeccompArgument {
  readonly index: number;
  readonly op:
    | 'SCMP_CMP_EQ'
    | 'SCMP_CMP_NE'
    | 'SCMP_CMP_LT'
    | 'SCMP_CMP_GE'
    | 'SCMP_CMP_GT'
    | 'SCMP_CMP_LE'
    | 'SCMP_CMP_MASKED_EQ';
  /** The value compared with; for MASKED_EQ the mask. */
  readonly value: number;
  /** For MASKED_EQ: what the masked argument must be. */
  readonly valueTwo?: number;
}

import type { ContainerCreateBody, ExecCreateBody } from './containers.ts';
import { decodeObject, type Fields } from './decode.ts';
import type { VolumeCreateBody } from './volumes.ts';

const containerConfig: Fields = {
  Hostname: 'string',
  Domainname: 'string',
  User: 'string',
  AttachStdin: 'boolean',
  AttachStdout: 'boolean',
  AttachStderr: 'boolean',
  ExposedPorts: 'object-map',
  Tty: 'boolean',
  OpenStdin: 'boolean',
  StdinOnce: 'boolean',
  Env: 'strings',
  Cmd: 'words',
  Image: 'string',
  Volumes: 'object-map',
  WorkingDir: 'string',
  Entrypoint: 'words',
  Labels: 'string-map',
  StopSignal: 'string',
  StopTimeout: 'integer',
};

const hostConfig: Fields = {
  Binds: 'strings',
  NetworkMode: 'string',
  AutoRemove: 'boolean',
  Privileged: 'boolean',
  ReadonlyRootfs: 'boolean',
  Init: 'boolean',
  CapAdd: 'words',
  CapDrop: 'words',
  Tmpfs: 'string-map',
  RestartPolicy: { fields: { Name: 'string', MaximumRetryCount: 'integer' }, unknown: 'drop' },
  LogConfig: { fields: { Type: 'string', Config: 'string-map' }, unknown: 'drop' },
  Runtime: 'string',
  ShmSize: 'integer',
};

const containerCreate: Fields = {
  ...containerConfig,
  // Not honoured yet: they pass so that the engine can refuse them by name.
  Healthcheck: 'object',
  MacAddress: 'string',
  NetworkDisabled: 'boolean',
  HostConfig: { fields: hostConfig, unknown: 'keep' },
  NetworkingConfig: { fields: { EndpointsConfig: 'object-map' }, unknown: 'drop' },
};

const execCreate: Fields = {
  AttachStdin: 'boolean',
  AttachStdout: 'boolean',
  AttachStderr: 'boolean',
  Tty: 'boolean',
  Cmd: 'words',
  Env: 'strings',
  User: 'string',
  WorkingDir: 'string',
  Privileged: 'boolean',
  DetachKeys: 'string',
};

export interface ExecStartBody {
  readonly Detach?: boolean;
  readonly Tty?: boolean;
  /** Rows and columns, from API 1.42. */
  readonly ConsoleSize?: readonly [number, number];
}

/** @throws BerthError `invalid` that names the field */
export function decodeContainerCreate(value: unknown): ContainerCreateBody {
  return decodeObject<ContainerCreateBody>(value, containerCreate);
}

/** @throws BerthError `invalid` that names the field */
export function decodeExecCreate(value: unknown): ExecCreateBody {
  return { Cmd: [], ...decodeObject<Partial<ExecCreateBody>>(value, execCreate) };
}

/** @throws BerthError `invalid` that names the field */
export function decodeExecStart(value: unknown): ExecStartBody {
  const body = decodeObject<ExecStartBody>(value, { Detach: 'boolean', Tty: 'boolean' });
  const size = typeof value === 'object' && value !== null && 'ConsoleSize' in value ? value.ConsoleSize : undefined;
  const [rows, columns] = Array.isArray(size) ? size : [];
  return Number.isSafeInteger(rows) && Number.isSafeInteger(columns) ? { ...body, ConsoleSize: [rows, columns] } : body;
}

/** @throws BerthError `invalid` that names the field */
export function decodeVolumeCreate(value: unknown): VolumeCreateBody {
  return decodeObject<VolumeCreateBody>(value, {
    Name: 'string',
    Driver: 'string',
    DriverOpts: 'string-map',
    Labels: 'string-map',
  });
}

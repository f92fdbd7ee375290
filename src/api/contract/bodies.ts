import type { ContainerCreateBody, ExecCreateBody, HostConfigBody } from './containers.ts';
import { decodeObject, type Fields } from './decode.ts';
import type { EndpointSettingsBody, NetworkConnectBody, NetworkCreateBody, NetworkDisconnectBody } from './networks.ts';
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
  // Not honoured yet: it passes so that the engine can refuse it by name.
  Healthcheck: 'object',
  MacAddress: 'string',
  NetworkDisabled: 'boolean',
  HostConfig: { fields: hostConfig, unknown: 'keep' },
  NetworkingConfig: { fields: { EndpointsConfig: 'object-map' }, unknown: 'drop' },
};

const endpointSettings: Fields = {
  IPAMConfig: {
    fields: { IPv4Address: 'string', IPv6Address: 'string', LinkLocalIPs: 'strings' },
    unknown: 'drop',
  },
  Links: 'strings',
  Aliases: 'strings',
  MacAddress: 'string',
  DriverOpts: 'string-map',
  GwPriority: 'integer',
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
  const body = decodeObject<ContainerCreateBody>(value, containerCreate);
  const wanted = Object.entries(body.NetworkingConfig?.EndpointsConfig ?? {}).map(([name, settings]) => [
    name,
    decodeObject<EndpointSettingsBody>(settings ?? {}, endpointSettings, 'drop', `EndpointsConfig.${name}`),
  ]);
  return wanted.length === 0 ? body : { ...body, NetworkingConfig: { EndpointsConfig: Object.fromEntries(wanted) } };
}

/** The fields of `HostConfig` that are to change. @throws BerthError `invalid` that names the field */
export function decodeContainerUpdate(value: unknown): HostConfigBody {
  return decodeObject<HostConfigBody>(value, hostConfig, 'keep');
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

/** @throws BerthError `invalid` that names the field */
export function decodeNetworkCreate(value: unknown): NetworkCreateBody {
  return decodeObject<NetworkCreateBody>(value, {
    Name: 'string',
    Driver: 'string',
    Scope: 'string',
    Internal: 'boolean',
    Attachable: 'boolean',
    Ingress: 'boolean',
    ConfigOnly: 'boolean',
    ConfigFrom: { fields: { Network: 'string' }, unknown: 'drop' },
    EnableIPv4: 'boolean',
    EnableIPv6: 'boolean',
    IPAM: { fields: { Driver: 'string', Options: 'string-map', Config: 'objects' }, unknown: 'drop' },
    Options: 'string-map',
    Labels: 'string-map',
  });
}

/** @throws BerthError `invalid` that names the field */
export function decodeNetworkConnect(value: unknown): NetworkConnectBody {
  return decodeObject<NetworkConnectBody>(value, {
    Container: 'string',
    EndpointConfig: { fields: endpointSettings, unknown: 'drop' },
  });
}

/** @throws BerthError `invalid` that names the field */
export function decodeNetworkDisconnect(value: unknown): NetworkDisconnectBody {
  return decodeObject<NetworkDisconnectBody>(value, { Container: 'string', Force: 'boolean' });
}

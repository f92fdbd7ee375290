export {
  decodeContainerCreate,
  decodeContainerUpdate,
  decodeExecCreate,
  decodeExecStart,
  decodeNetworkConnect,
  decodeNetworkCreate,
  decodeNetworkDisconnect,
  decodeVolumeCreate,
  type ExecStartBody,
} from './bodies.ts';
export type * from './containers.ts';
export { type ErrorBody, kindOfStatus, STATUS_OF_KIND } from './failure.ts';
export { encodeFilters, FILTER_KEYS, parseFilters } from './filters.ts';
export {
  encodeFrame,
  type Frame,
  FrameDecoder,
  MULTIPLEXED_STREAM,
  RAW_STREAM,
  type StreamName,
  streamContentType,
} from './frames.ts';
export type * from './images.ts';
export type * from './networks.ts';
export {
  decodeRegistryAuth,
  encodeRegistryAuth,
  parseRegistryAuth,
  parseRegistryConfigHeader,
  type RegistryAuth,
} from './registry-auth.ts';
export type * from './stats.ts';
export type * from './system.ts';
export type * from './usage.ts';
export {
  API_VERSION,
  type ApiVersion,
  atLeast,
  compareVersions,
  isApiVersion,
  MIN_API_VERSION,
  splitVersion,
} from './versions.ts';
export type * from './volumes.ts';

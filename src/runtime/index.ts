export * from './container/index.ts';
export { RootFiles, type RootFilesOptions } from './files/index.ts';
export { keepHeapSmall, trimMemory } from './linux/libc.ts';
export { lockFile } from './linux/lock.ts';
export {
  type DriverChoice,
  type DriverName,
  type LayerStore,
  openLayerStore,
  settleDriver,
} from './snapshot/index.ts';
export { VolumeFolders } from './volumes/index.ts';

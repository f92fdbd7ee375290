export { chooseDriver, type DriverChoice, settleDriver } from './drivers/choose.ts';
export type { DriverName } from './drivers/driver.ts';
export type { CommittedLayer } from './layer-record.ts';
export {
  type LayerInfo,
  type LayerStore,
  type LayerStoreOptions,
  openLayerStore,
} from './layer-store.ts';
export type { MountedRoot } from './roots.ts';
export type { View } from './views.ts';

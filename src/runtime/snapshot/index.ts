export {
  type CommittedLayer,
  type LayerInfo,
  type LayerStore,
  type LayerStoreOptions,
  openLayerStore,
} from './layer-store.ts';
export type { MountedRoot } from './roots.ts';
export type { View } from './views.ts';

export * from './container/index.ts';
export { RootFiles, type RootFilesOptions } from './files/index.ts';
export { lockFile } from './linux/lock.ts';
export { type LayerStore, openLayerStore } from './snapshot/index.ts';

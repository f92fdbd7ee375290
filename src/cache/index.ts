export { type ContentStore, openContentStore, type WriteBlobOptions } from './content/store.ts';
export { type Garbage, type GarbageSources, type LayerRoots, openGarbage, pruneUnreachable, reachable } from './gc.ts';
export { type CachedImage, type Images, openImageStore } from './images.ts';
export { type Objects, openObjectStore } from './objects.ts';
export type { CachedStep } from './records/record.ts';
export { openStepRecords, type Records } from './records/records.ts';
export { openSpool } from './spool.ts';

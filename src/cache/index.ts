export { openContentStore } from './content/store.ts';
export { type Garbage, type LayerRoots, openGarbage, pruneUnreachable } from './gc.ts';
export { type Images, openImageStore } from './images.ts';
export { openObjectStore } from './objects.ts';
export type { CachedStep } from './records/record.ts';
export { openStepRecords } from './records/records.ts';
export { openSpool } from './spool.ts';

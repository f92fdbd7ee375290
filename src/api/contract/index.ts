export type * from './containers.ts';
export type * from './images.ts';
export type * from './system.ts';

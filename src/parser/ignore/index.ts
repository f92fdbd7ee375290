/** The ignore rules alone: a client that only packs a context must not pay for the Dockerfile grammar. */
export { hasGlob, matchGlob } from './glob.ts';
export { createIgnoreMatcher, type IgnoreMatcher, matchIgnore } from './matcher.ts';
export { type IgnorePattern, ignorePattern, parseIgnore } from './pattern.ts';

export { createIgnoreMatcher, type IgnoreMatcher } from './matcher.ts';
export { type IgnorePattern, ignorePattern, parseIgnore } from './pattern.ts';

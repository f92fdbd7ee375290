export { type GitRef, type GitSource, parseGitRef } from './git-ref.ts';

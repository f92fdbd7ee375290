import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ImageConfig } from '../../src/oci/index.ts';

/** The corpus lies beside the checkout and is read in place. */
const root = new URL('../../../shared/corpus/dockerfile/', import.meta.url);

export function corpusFile(path: string): string {
  return fileURLToPath(new URL(path, root));
}

export function jsonLines<T>(path: string): T[] {
  return readFileSync(corpusFile(path), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

/** One instruction as the reference parser tells it. */
export interface AstNode {
  readonly cmd: string;
  readonly raw: string;
  readonly original: string;
  readonly args: readonly string[];
  readonly flags?: readonly string[];
  readonly json?: boolean;
  readonly heredocs?: readonly object[];
  readonly comments?: readonly string[];
  readonly start: number;
  readonly end: number;
  readonly onbuild?: AstNode;
}

export interface FrontendCase {
  readonly id: string;
  readonly dockerfile: string;
  readonly escape?: string;
  readonly ast?: readonly AstNode[];
  readonly parse_error?: string;
  readonly instruction_error?: string;
  readonly build_error?: string;
  readonly meta_args?: number;
  readonly stages?: readonly {
    readonly name: string;
    readonly base: string;
    readonly platform: string;
    readonly commands: number;
  }[];
}

/** What any base image is that a case does not describe. */
export const baseImage = {
  architecture: 'amd64',
  os: 'linux',
  config: {
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    Cmd: ['/bin/sh'],
    WorkingDir: '/',
  },
  rootfs: { type: 'layers', diff_ids: [`sha256:${'a'.repeat(64)}`] },
  history: [{ created_by: 'BASE' }],
} as unknown as ImageConfig;

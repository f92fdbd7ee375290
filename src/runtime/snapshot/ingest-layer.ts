import { decompress } from '../../archive/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { DiffId } from '../../oci/index.ts';
import { withoutForeignCompression } from '../files/foreign-compression.ts';
import { abortable } from './abortable.ts';
import type { Background } from './background.ts';
import type { IngestJob, IngestSummary } from './ingest.ts';

export interface LayerLimits {
  /** Times that compressed data may expand. gzip cannot do it more than 1032 times; zstd can, honest layers do not. */
  readonly expansion: number;
  readonly entries: number;
  /** Bytes of content in all entries together. */
  readonly bytes: number;
}

export const LAYER_LIMITS: LayerLimits = { expansion: 2000, entries: 5_000_000, bytes: Number.MAX_SAFE_INTEGER };

interface Intake extends Pick<IngestJob, 'folder' | 'isLowest' | 'roomBytes'> {
  readonly limits: LayerLimits;
  /** The parent's layer directories, topmost first; asked for at the end. */
  readonly lowers: () => Promise<readonly string[]>;
  readonly expected: DiffId | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Unpacks a layer's tar, compressed or not. @throws BerthError `invalid` also when it is not the one expected */
export async function ingestLayer(
  background: Background,
  tar: AsyncIterable<Uint8Array>,
  { limits, lowers, expected, signal, ...place }: Intake,
): Promise<IngestSummary> {
  const { expansion: maxRatio, entries: maxEntries, bytes: maxBytes } = limits;
  const known = withoutForeignCompression(abortable(tar, signal), signal);
  const plain = decompress(known, { maxRatio });
  const summary = await background.ingest({ kind: 'ingest', ...place, maxEntries, maxBytes }, plain, {
    lowers,
    signal,
  });
  if (expected === undefined || summary.diffId === expected) return summary;
  throw new BerthError('invalid', `the layer's content is ${summary.diffId}, but the image says ${expected}`, {
    hint: 'the archive or download is damaged: get it again',
  });
}

import { type ChainId, type DiffId, type Digest, isDigest } from '../../oci/index.ts';

/** A step that was run: its key with the named inputs, and the layer that it left. */
export interface CachedStep {
  readonly key: { readonly digest: Digest; readonly inputs: Readonly<Record<string, string>> };
  readonly slot: string;
  readonly layer: { readonly chainId: ChainId; readonly diffId: DiffId; readonly sizeBytes: number };
  readonly createdAt: string;
}

/** Reads a record; a torn or strange one is a miss, never an error. */
export function decodeRecord(text: string | undefined, key: Digest): CachedStep | undefined {
  const value = parse<Partial<CachedStep>>(text);
  const { layer, slot, createdAt } = value ?? {};
  if (value?.key?.digest !== key || typeof value.key.inputs !== 'object' || typeof slot !== 'string') return undefined;
  if (layer === undefined || !isDigest(layer.chainId) || !isDigest(layer.diffId)) return undefined;
  return { key: value.key, slot, layer, createdAt: createdAt ?? '' };
}

/** The key that a slot points at. Two slots may not share a file, but who knows what a disk brings. */
export function decodeSlot(text: string | undefined, slot: string): Digest | undefined {
  const value = parse<{ readonly slot?: string; readonly key?: string }>(text);
  return value?.slot === slot && typeof value.key === 'string' && isDigest(value.key) ? value.key : undefined;
}

/** A pointer, whichever slot it is of; undefined when it cannot be read. */
export function anySlot(text: string | undefined): { readonly slot: string; readonly key: Digest } | undefined {
  const { slot, key } = parse<{ readonly slot?: string; readonly key?: string }>(text) ?? {};
  return typeof slot === 'string' && typeof key === 'string' && isDigest(key) ? { slot, key } : undefined;
}

function parse<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { EventMessage, JsonMessage } from '../../../src/api/contract/index.ts';
import { encodeHeader, endOfArchive, padding, type TarEntry } from '../../../src/archive/index.ts';
import { openGarbage, openImageStore, openSpool } from '../../../src/cache/index.ts';
import { createImages, type ImageUser } from '../../../src/engine/images/index.ts';
import type { ChainId, ImageId } from '../../../src/oci/index.ts';
import { FakeSnapshots } from './fake-snapshots.ts';

const folders: string[] = [];

afterAll(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** The images part over the real cache in a temporary folder, with layers in memory. */
export async function imagesEngine() {
  const folder = await mkdtemp(join(tmpdir(), 'berth-images-'));
  folders.push(folder);
  const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5) };
  const snapshots = new FakeSnapshots();
  const { engineImages } = openImageStore(folder, clock);
  const users = new Map<ImageId, ImageUser[]>();
  const held: ChainId[] = [];
  const events: EventMessage[] = [];
  const garbage = openGarbage({
    layers: snapshots,
    images: engineImages,
    containers: async () => held,
    records: async () => [],
  });
  const ports = { images: engineImages, snapshots, clock, spool: openSpool(folder), garbage };
  const api = createImages(ports, {
    emit: (event) => events.push(event),
    containersUsing: async (id) => users.get(id) ?? [],
    platform: { os: 'linux', architecture: 'amd64' },
  });
  return { api, ports, snapshots, users, held, events, temps: () => readdir(join(folder, 'tmp')).catch(() => []) };
}

export interface Made {
  readonly name: string;
  readonly content?: string | Uint8Array;
  readonly type?: TarEntry['type'];
  readonly linkName?: string;
}

/** A tar of the given entries. */
export function tarOf(entries: readonly Made[]): Buffer {
  const parts = entries.flatMap(({ name, content = '', type = 'file', linkName }) => {
    const bytes = Buffer.from(content);
    const header = { name, type, mode: 0o644, uid: 0, gid: 0, size: bytes.length, mtime: 0 };
    return [encodeHeader(linkName === undefined ? header : { ...header, linkName }), bytes, padding(bytes.length)];
  });
  return Buffer.concat([...parts, endOfArchive]);
}

export async function* stream(bytes: Uint8Array, chunk = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
}

export async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function messages(source: AsyncIterable<JsonMessage>): Promise<JsonMessage[]> {
  const all: JsonMessage[] = [];
  for await (const message of source) all.push(message);
  return all;
}

/** Only what a user of `berth load` reads. */
export async function lines(source: AsyncIterable<JsonMessage>): Promise<string> {
  return (await messages(source)).map(({ stream: text }) => text ?? '').join('');
}

type Engine = Awaited<ReturnType<typeof imagesEngine>>;

/** An image of the given layers (each a file's text) under the given names. */
export async function addImage(
  { ports, snapshots }: Pick<Engine, 'ports' | 'snapshots'>,
  names: readonly string[],
  layers: readonly string[],
  config: object = {},
) {
  let parent: ChainId | null = null;
  const diffIds: string[] = [];
  for (const text of layers) {
    const layer = await snapshots.apply(parent, stream(tarOf([{ name: `file-${text.length}`, content: text }])));
    parent = layer.chainId;
    diffIds.push(layer.diffId);
  }
  const document = { architecture: 'amd64', os: 'linux', ...config, rootfs: { type: 'layers', diff_ids: diffIds } };
  return ports.images.put(Buffer.from(JSON.stringify(document)), names);
}

import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PQueue from 'p-queue';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/oci/index.ts';
import { SharedWork } from '../../../src/registry-client/pull/shared-work.ts';
import { PackJournal } from '../../../src/registry-client/push/pack-journal.ts';
import { PackedLayer, type SharedPacking } from '../../../src/registry-client/push/packed-layer.ts';
import { parallelCompress } from '../../../src/registry-client/push/parallel-compress.ts';

const MB = 1024 * 1024;
const signal = new AbortController().signal;
const content = Buffer.concat([randomBytes(2 * MB), Buffer.alloc(3 * MB, 'text'), randomBytes(MB + 17)]);
const layer = {
  diffId: sha256(content),
  async *open() {
    yield content;
  },
};

let folder: string;
let shared: SharedPacking;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-pack-'));
  shared = { folder, work: new SharedWork(), queue: new PQueue({ concurrency: 1 }), users: new Map() };
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What a process leaves that is killed after `blocks` blocks, in the middle of writing the next one. */
async function killedAfter(blocks: number, packed: string): Promise<void> {
  const part = join(folder, `${packed}.part`);
  writeFileSync(part, '');
  const made: Buffer[] = [];
  const lengths: number[] = [];
  for await (const { kind, bytes } of parallelCompress(layer.open(), { format: 'gzip', level: 1, parallel: 1 })) {
    if (lengths.length === blocks) {
      made.push(bytes.subarray(0, bytes.length >> 1));
      break;
    }
    made.push(bytes);
    if (kind === 'made') lengths.push(bytes.length);
  }
  const journal = await PackJournal.open(join(folder, `${packed}.blocks`), { made: 'gzip 1', packed: part, start: 10 });
  for (const length of lengths) await journal.note(length);
  await journal.close();
  writeFileSync(part, Buffer.concat(made));
}

describe('a layer that is packed', () => {
  it('has equal bytes when a killed try is taken up, whose whole blocks are not made anew', async () => {
    const first = new PackedLayer(layer, shared);
    const expected = await first.pack(signal);
    const [name] = readdirSync(folder);
    const bytes = readFileSync(join(folder, name!));
    await first.leave({ isPushed: true });
    await killedAfter(3, name!);
    // A whole block that was changed shows that it is used: nothing else would know of the change.
    const part = join(folder, `${name}.part`);
    const changed = readFileSync(part);
    changed[MB / 2]! ^= 1;
    writeFileSync(part, changed);
    const second = new PackedLayer(layer, shared);
    expect((await second.pack(signal)).digest).not.toBe(expected.digest);
    await second.leave({ isPushed: true });
    await killedAfter(3, name!);
    const third = new PackedLayer(layer, shared);
    expect(await third.pack(signal)).toEqual(expected);
    expect(readFileSync(join(folder, name!)).equals(bytes)).toBe(true);
    await third.leave({ isPushed: true });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is made anew from what cannot be trusted: a file shorter than its notes, or notes of another start', async () => {
    const expected = await new PackedLayer(layer, shared).pack(signal);
    const [name] = readdirSync(folder);
    rmSync(join(folder, name!));
    await killedAfter(4, name!);
    truncateSync(join(folder, `${name}.part`), MB + 100);
    expect(await new PackedLayer(layer, shared).pack(signal)).toEqual(expected);
    await killedAfter(4, name!);
    const notes = join(folder, `${name}.blocks`);
    writeFileSync(notes, Buffer.concat([Buffer.from('another '), readFileSync(notes)]));
    expect(await new PackedLayer(layer, shared).pack(signal)).toEqual(expected);
  });

  it('is packed once for all who push it at the same time, and stays until the last has it', async () => {
    let reads = 0;
    const counted = {
      ...layer,
      open() {
        reads += 1;
        return layer.open();
      },
    };
    const [one, two] = [new PackedLayer(counted, shared), new PackedLayer(counted, shared)];
    const [first, second] = await Promise.all([one.pack(signal), two.pack(signal)]);
    expect(first).toEqual(second);
    expect(reads).toBe(1);
    await one.leave({ isPushed: true });
    expect(readdirSync(folder)).toHaveLength(1);
    await two.leave({ isPushed: true });
    expect(readdirSync(folder)).toEqual([]);
  });
});

import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSplit, SplitWriter } from '../../../src/runtime/snapshot/split.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync('/tmp/berth-split-');
  mkdirSync(`${folder}/fs`);
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the split form', () => {
  it('gives back bytes and contents in order, over many blocks', () => {
    const wanted: Buffer[] = [];
    const writer = new SplitWriter(`${folder}/layer.split`);
    for (let index = 0; index < 3000; index += 1) {
      const raw = Buffer.alloc(512, `header ${index}`);
      const content = Buffer.from(`content ${index}`.repeat(index % 300));
      writer.raw(raw);
      wanted.push(raw);
      if (content.length === 0) continue;
      writeFileSync(`${folder}/fs/${index}`, content);
      writer.content(`${index}`, content.length);
      wanted.push(content);
    }
    writer.raw(Buffer.alloc(5 << 20));
    wanted.push(Buffer.alloc(5 << 20));
    writer.finish();
    expect(Buffer.concat([...readSplit(folder, [])]).equals(Buffer.concat(wanted))).toBe(true);
    expect(statSync(`${folder}/layer.split`).size).toBeLessThan(200_000);
  });

  it('says so when a content is not whole', () => {
    writeFileSync(`${folder}/fs/f`, 'short');
    const writer = new SplitWriter(`${folder}/layer.split`);
    writer.content('f', 6);
    writer.finish();
    expect(() => [...readSplit(folder, [])]).toThrow('the stored layer is damaged');
  });
});

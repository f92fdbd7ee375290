import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Host } from '../support/host.ts';

describe('SOURCE_DATE_EPOCH', () => {
  it('gives one image from two empty roots, whenever and from wherever it is built', async () => {
    const ids: string[] = [];
    const folder = mkdtempSync('/tmp/berth-repro-base-');
    const base = join(folder, 'base.tar');
    for (const round of [1, 2]) {
      const host = new Host();
      const context = mkdtempSync('/tmp/berth-repro-');
      try {
        if (round === 1) {
          await host.importBase('busybox');
          await host.ok(['save', '-o', base, 'busybox']);
        } else {
          await host.ok(['load', '-i', base]);
        }
        writeFileSync(join(context, 'data'), 'same bytes');
        writeFileSync(
          join(context, 'Dockerfile'),
          'FROM busybox AS a\nRUN mkdir /made && date > /dev/null && echo x > /made/file && rm /bin/zcat\nFROM busybox\nWORKDIR /app\nCOPY data .\nCOPY --from=a /made /made\nRUN echo done > done && mkdir -p d/e && ln -s done l\nCOPY <<EOF /text\nhello\nEOF\nCMD ["true"]\n',
        );
        const id = await host.ok(['build', '-q', context], { env: { SOURCE_DATE_EPOCH: '1700000000' } });
        ids.push(id);
        const created = await host.ok(['inspect', '-f', '{{.Created}}', id.trim()]);
        expect(created.trim()).toBe('2023-11-14T22:13:20Z');
      } finally {
        await host.dispose();
        rmSync(context, { recursive: true, force: true });
      }
      if (round === 1) await new Promise((resolve) => setTimeout(resolve, 1100));
    }
    rmSync(folder, { recursive: true });
    expect(ids[1]).toBe(ids[0]);
  });
});

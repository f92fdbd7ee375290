import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idMap } from '../../../src/runtime/linux/idmap.ts';

const id = fc.oneof(fc.constantFrom(0, 1, 2, 1000, 65534), fc.integer({ min: 0, max: 0xffff_fffe }));

describe('idMap', () => {
  it('exchanges two ids, and leaves all others', () => {
    fc.assert(
      fc.property(id, id, id, (disk, shown, other) => {
        const lines = idMap({ disk, shown })
          .trim()
          .split('\n')
          .map((line) => line.split(' ').map(Number));
        const map = (from: number) => {
          const line = lines.find(([inside, , count]) => from >= inside! && from < inside! + count!);
          return line && line[1]! + from - line[0]!;
        };
        expect(map(disk)).toBe(shown);
        expect(map(shown)).toBe(disk);
        if (other !== disk && other !== shown) expect(map(other)).toBe(other);
        expect(lines.reduce((sum, [, , count]) => sum + count!, 0)).toBe(0xffff_ffff);
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ContentPlaces, type Replaced } from '../../../src/runtime/snapshot/replaced.ts';

const paths = ['a', 'a/b', 'a/b/c', 'a/d', 'ab'];

describe('ContentPlaces', () => {
  it('finds every content of an archive where the unpacking left it', () => {
    const step = fc.record({ path: fc.constantFrom(...paths), move: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        // A model of unpacking: which content is at which place, after writes and moves of files and directories.
        const places = new Map<string, number>();
        const replaced: Replaced[] = [];
        const written: string[] = [];
        for (const { path, move } of steps) {
          const taken = [...places.keys()].filter((place) => place === `fs/${path}` || place.startsWith(`fs/${path}/`));
          if (taken.length > 0 || move) {
            for (const place of taken) {
              places.set(`kept/${replaced.length}${place.slice(path.length + 3)}`, places.get(place)!);
              places.delete(place);
            }
            replaced.push({ path, before: written.length });
          }
          if (move) continue;
          places.set(`fs/${path}`, written.length);
          written.push(path);
        }
        const finder = new ContentPlaces(replaced);
        for (const [ordinal, path] of written.entries()) {
          expect(places.get(finder.find(path, ordinal))).toBe(ordinal);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DetachWatch, parseDetachKeys } from '../../../src/engine/containers/detach-keys.ts';

describe('detach keys', () => {
  it.each([
    [undefined, [16, 17]],
    ['', [16, 17]],
    ['ctrl-a,d', [1, 100]],
    ['ctrl-@,ctrl-[,ctrl-_', [0, 27, 31]],
  ])('%s', (text, bytes) => {
    expect([...parseDetachKeys(text)]).toEqual(bytes);
  });

  it.each(['ctrl-', 'ctrl-1', 'ab', ','])('%s are none', (text) => {
    expect(() => parseDetachKeys(text)).toThrow(`Invalid detach keys (${text}) provided`);
  });

  it('are found wherever typing is cut, and what comes before them is passed on', () => {
    const letters = fc.array(fc.constantFrom(1, 2, 3), { maxLength: 12 });
    fc.assert(
      fc.property(letters, fc.array(fc.constantFrom(1, 2, 3), { minLength: 1, maxLength: 3 }), (typed, keys) => {
        const watch = new DetachWatch(Buffer.from(keys));
        const passed: number[] = [];
        let detached = false;
        for (const byte of typed) {
          const step = watch.push(Buffer.from([byte]));
          passed.push(...step.data);
          detached = step.detached;
          if (detached) break;
        }
        const at = Buffer.from(typed).indexOf(Buffer.from(keys));
        expect(detached).toBe(at >= 0);
        if (at >= 0) expect(passed).toEqual(typed.slice(0, at));
        else expect(typed.slice(0, passed.length)).toEqual(passed);
      }),
    );
  });
});

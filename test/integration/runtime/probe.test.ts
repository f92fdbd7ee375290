import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { hostFacts, probeHost } from '../../../src/runtime/container/index.ts';

it('a prepared machine has every capability that Berth needs, and probing changes nothing', async () => {
  const before = readFileSync('/proc/self/mountinfo', 'utf8');
  const found = await probeHost({ dataFolder: tmpdir() });
  expect(found.filter(({ required, ok }) => required && !ok)).toEqual([]);
  expect(found.every(({ status, advice }) => status === 'ok' || advice)).toBe(true);
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before);
});

it('the machine is described', () => {
  expect(hostFacts()).toMatchObject({ cpus: expect.any(Number), cgroupVersion: expect.stringMatching(/^[12]$/) });
});

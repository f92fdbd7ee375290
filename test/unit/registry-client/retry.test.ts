import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseReference } from '../../../src/oci/index.ts';
import { BackOff, defaultRetry, retryAfterMs, waitMs } from '../../../src/registry-client/http/retry.ts';
import { FakeRegistry } from '../../support/fake-registry.ts';
import { layer, PullBench } from '../../support/registry-sink.ts';

let registry: FakeRegistry;
beforeEach(async () => {
  registry = await FakeRegistry.start();
  registry.addImage('a', '1', [layer('one')]);
});
afterEach(() => registry.close());

describe('how long to wait', () => {
  it('case 2: grows, has jitter of half of it, and has an end', () => {
    const chance = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), chance, (attempt, random) => {
        const policy = { ...defaultRetry, random: () => random };
        const full = Math.min(policy.firstDelayMs * 2 ** (attempt - 1), policy.maxDelayMs);
        const waited = waitMs(attempt, undefined, policy);
        expect(waited).toBeGreaterThanOrEqual(Math.floor(full / 2));
        expect(waited).toBeLessThanOrEqual(full);
      }),
    );
  });

  it('case 2: is what the other side asks for, but never more than a minute', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(1e9), (attempt, asked) => {
        expect(waitMs(attempt, asked, defaultRetry)).toBe(Math.min(asked, 60_000));
      }),
    );
  });

  it('case 2: never comes out of a header as less than nothing, whatever the header says', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.integer().map(String)), (header) => {
        expect(retryAfterMs(header, 0) ?? 0).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('case 2: is remembered by host, and the longest counts', () => {
    let now = 0;
    const backOff = new BackOff(() => now);
    backOff.note('a', 1000);
    backOff.note('a', 500);
    expect([backOff.waitMs('a'), backOff.waitMs('b')]).toEqual([1000, 0]);
    now = 2000;
    expect(backOff.waitMs('a')).toBe(0);
  });
});

describe('a registry that is busy', () => {
  const look = (bench: PullBench, host: string) => bench.client.headManifest(parseReference(`${host}/a:1`));

  it('case 2: is left alone by everybody, and another one is not', async () => {
    const other = await FakeRegistry.start();
    other.addImage('a', '1', [layer('one')]);
    const bench = new PullBench({ retry: { attempts: 1 } });
    registry.script('HEAD', /manifests/, ({ send }) => send(429, { 'Retry-After': '7' }));
    await expect(look(bench, registry.host)).rejects.toMatchObject({ kind: 'unavailable' });
    await look(bench, other.host);
    expect(bench.slept).toEqual([]);
    await look(bench, registry.host);
    expect(bench.slept).toEqual([7000]);
    bench.dispose();
    await other.close();
  });

  it.each([408, 425, 429, 500, 502, 503, 504])('case 2: with %i is asked again', async (status) => {
    const bench = new PullBench();
    registry.script('HEAD', /manifests/, ({ send }) => send(status, { 'Retry-After': '2' }), 2);
    expect(await look(bench, registry.host)).toBeDefined();
    expect(bench.slept).toEqual([2000, 2000]);
    bench.dispose();
  });

  it.each([400, 403, 405, 501])('case 2: with %i means it, and is asked once', async (status) => {
    const bench = new PullBench();
    registry.script('HEAD', /manifests/, ({ send }) => send(status), 9);
    await expect(look(bench, registry.host)).rejects.toMatchObject({ name: 'BerthError' });
    expect(registry.seen('HEAD', /manifests/)).toHaveLength(1);
    expect(bench.slept).toEqual([]);
    bench.dispose();
  });
});

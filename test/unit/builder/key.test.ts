import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CopyOp, ExecOp } from '../../../src/builder/plan/graph.ts';
import type { StepRecord } from '../../../src/builder/ports.ts';
import { definitionInputs, type KeyInputs, stepKey } from '../../../src/builder/solve/key.ts';
import { explainMiss } from '../../../src/builder/solve/miss.ts';
import { type ChainId, type DiffId, sha256 } from '../../../src/oci/index.ts';

const exec: ExecOp = {
  kind: 'exec',
  parent: null,
  argv: ['/bin/sh', '-c', 'make'],
  env: ['PATH=/bin', 'X=1'],
  cwd: '/',
  user: '',
  network: 'host',
  mounts: [],
  platform: 'linux/amd64',
  entitlements: [],
  devices: [],
};
const copy: CopyOp = {
  kind: 'copy',
  parent: null,
  from: { kind: 'context' },
  sources: ['a'],
  inline: [],
  dest: '/a',
  parents: false,
  excludes: [],
  unpack: false,
  unpackRemote: false,
  link: false,
  remotes: [],
};
const chain = (name: string) => sha256(name) as ChainId;
const keyOf = (op: ExecOp | CopyOp, parent: ChainId | null = null, epoch?: number) =>
  stepKey(definitionInputs(op, parent, epoch));

describe('a step key', () => {
  it('names every input, each environment variable for itself', () => {
    expect(keyOf(exec).inputs).toEqual({
      kind: 'exec',
      parent: 'scratch',
      command: '["/bin/sh","-c","make"]',
      cwd: '/',
      user: '',
      network: 'host',
      platform: 'linux/amd64',
      'env PATH': '/bin',
      'env X': '1',
    });
  });

  it.each([
    ['command', { argv: ['/bin/sh', '-c', 'make all'] }],
    ['env', { env: ['PATH=/bin', 'X=2'] }],
    ['cwd', { cwd: '/src' }],
    ['user', { user: 'me' }],
    ['network', { network: 'none' as const }],
    ['mount', { mounts: [{ type: 'tmpfs' as const, target: '/t' }] }],
    ['platform', { platform: 'linux/arm64' }],
  ])('changes with the %s', (_what, change) => {
    expect(keyOf({ ...exec, ...change }).digest).not.toBe(keyOf(exec).digest);
  });

  it('changes with the parent layer and with SOURCE_DATE_EPOCH', () => {
    const digests = [
      keyOf(exec),
      keyOf(exec, chain('p')),
      keyOf(exec, chain('q')),
      keyOf(exec, null, 0),
      keyOf(exec, null, 1),
    ];
    expect(new Set(digests.map((key) => key.digest)).size).toBe(5);
  });

  it('does not depend on the order of variables', () => {
    expect(keyOf({ ...exec, env: ['X=1', 'PATH=/bin'] }).digest).toBe(keyOf(exec).digest);
  });

  it('separates COPY from the context and from a stage, whose owners differ', () => {
    const fromStage: CopyOp = { ...copy, from: { kind: 'node', node: sha256('n') } };
    expect(keyOf(fromStage).digest).not.toBe(keyOf(copy).digest);
    expect(keyOf({ ...copy, chown: '1:1' }).digest).not.toBe(keyOf(copy).digest);
  });

  it('is equal only for equal inputs', () => {
    const inputs = fc.dictionary(fc.string(), fc.string({ maxLength: 400 }));
    fc.assert(
      fc.property(inputs, inputs, (a, b) => {
        const same = JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
        expect(stepKey(a).digest === stepKey(b).digest).toBe(same);
      }),
    );
  });

  it('stores long values by digest, and keeps a text that looks like one apart', () => {
    const long = stepKey({ a: 'x'.repeat(500) });
    expect(long.inputs['a']).toMatch(/^text:sha256:/);
    expect(stepKey({ a: long.inputs['a']! }).digest).not.toBe(long.digest);
  });
});

describe('why a step missed', () => {
  const before: KeyInputs = { kind: 'exec', parent: 'p', command: 'make', 'env X': 'a', 'file src/a.ts': '1' };
  const record = (inputs: KeyInputs): StepRecord => ({
    key: stepKey(inputs),
    slot: 's',
    createdAt: '',
    layer: { chainId: chain('c'), diffId: sha256('c') as DiffId, sizeBytes: 0 },
  });
  const why = (after: Record<string, string>) => explainMiss(stepKey({ ...before, ...after }), record(before));

  it('is told in words', () => {
    expect(explainMiss(stepKey(before), undefined)).toBe('never built before');
    expect(why({ 'file src/a.ts': '2' })).toBe('file src/a.ts changed');
    expect(why({ 'file src/b.ts': '2' })).toBe('file src/b.ts added');
    expect(why({ 'env X': 'b' })).toBe('env X changed a -> b');
    expect(why({ parent: 'q' })).toBe('parent step changed');
    expect(why({ command: 'make all' })).toBe('command changed');
    expect(why({ kind: 'copy' })).toBe('another instruction stood here before');
    expect(why({})).toBe('its layer is no longer stored');
  });

  it('names the step itself before its parent, and counts what is too much', () => {
    expect(why({ parent: 'q', command: 'x' })).toBe('command changed, parent step changed');
    const many = Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`file f${n}`, 'x']));
    expect(why(many)).toBe('file f1 added, file f2 added, file f3 added, 2 more changes');
  });
});

import { describe, expect, it } from 'vitest';
import { registriesOf } from '../../../src/cli/build/registries.ts';

describe('the registries that a build may need', () => {
  it.each([
    ['FROM busybox', ['docker.io']],
    ['from --platform=linux/arm64 r.example:5000/a/b:1 AS x', ['r.example:5000']],
    ['FROM r.example/a\nCOPY --from=ghcr.io/x/y /a /b', ['r.example', 'ghcr.io']],
    ['FROM scratch\nRUN --mount=type=bind,from=q.example/z,target=/z true', ['docker.io', 'q.example']],
  ])('are those that %j names', (text, registries) => {
    expect(registriesOf(text)).toEqual(new Set(registries));
  });

  it.each([['ARG BASE\nFROM $BASE'], ['FROM a\nCOPY --from=$X/y / /'], ['FROM \\\n  r.example/a'], [undefined]])(
    'may be any, as in %j',
    (text) => {
      expect(registriesOf(text)).toBe('all');
    },
  );
});

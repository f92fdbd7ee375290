import type { Dockerfile } from '../../src/parser/index.ts';

/** The IR without what tells only how it was written. */
export function meaningOf(dockerfile: Dockerfile): unknown {
  return JSON.parse(
    JSON.stringify(dockerfile, (key, value) =>
      key === 'span' || key === 'original' || key === 'emptyLines' ? undefined : value,
    ),
  );
}

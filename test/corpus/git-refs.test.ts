import { describe, expect, it } from 'vitest';
import { type GitSource, parseGitRef } from '../../src/parser/index.ts';
import { jsonLines } from './dockerfile-corpus.ts';

interface Row {
  readonly ref: string;
  readonly isGit: boolean;
  readonly error?: string;
  readonly parsed?: object;
}

/** The reference's names for what we found. */
function asReference(source: GitSource): object {
  return {
    Remote: source.remote,
    ShortName: source.shortName,
    Ref: source.ref,
    Checksum: source.checksum,
    SubDir: source.subDir,
    IndistinguishableFromLocal: source.isAmbiguous,
    UnencryptedTCP: source.isUnencrypted,
    KeepGitDir: source.keepGitDir ?? null,
    Submodules: source.submodules ?? null,
    MTime: source.mtime,
    FetchByCommit: source.fetchByCommit,
  };
}

describe('references to git repositories, beside the reference', () => {
  const rows = jsonLines<Row>('git-refs.jsonl');

  it('has all rows', () => {
    expect(rows).toHaveLength(53);
  });

  it.each(rows)('$ref', ({ ref, isGit, parsed }) => {
    const found = parseGitRef(ref);
    expect(found.isGit).toBe(isGit);
    expect('source' in found ? asReference(found.source) : undefined).toEqual(parsed);
  });
});

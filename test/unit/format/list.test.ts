import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignColumns, formatList } from '../../../src/format/index.ts';

const base = { table: '{{.ID}}\t{{.Names}}', heads: { ID: 'CONTAINER ID', Names: 'NAMES', Status: 'STATUS' } };
const rows = [
  { ID: 'abc', Names: 'web', Status: 'Up', Label: (name: string) => `label-${name}` },
  { ID: 'def', Names: 'evil\x1b[31m\nname', Status: 'Exited', Label: () => '' },
];
const format = (text: string) => formatList({ ...base, format: text }, rows);

describe('formatList', () => {
  it('prints a table with heads and no control characters', async () => {
    expect(await format('table')).toBe(
      'CONTAINER ID   NAMES\nabc            web\ndef            evil\ufffd[31m\ufffdname\n',
    );
  });

  it('prints heads alone when there is nothing to list', async () => {
    expect(await formatList({ ...base, format: 'table' }, [])).toBe('CONTAINER ID   NAMES\n');
    expect(await formatList({ ...base, format: '{{.ID}}' }, [])).toBe('');
  });

  it('makes a table of a template, with \\t as written in a shell', async () => {
    expect(await format('table {{.Status}}\\t{{upper .ID}}\\t{{.Label "a.my-key"}}')).toBe(
      'STATUS    CONTAINER ID   my key\nUp        ABC            label-a.my-key\nExited    DEF            \n',
    );
  });

  it('prints one line for each row of a template', async () => {
    expect(await format('{{.ID}}:{{.Status}}')).toBe('abc:Up\ndef:Exited\n');
  });

  it('prints one JSON object for each row', async () => {
    expect(
      (await format('json'))
        .split('\n')
        .slice(0, 2)
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { ID: 'abc', Names: 'web', Status: 'Up' },
      { ID: 'def', Names: 'evil\x1b[31m\nname', Status: 'Exited' },
    ]);
  });

  it('refuses a field that no row has, and suggests one', async () => {
    await expect(format('{{.Statsu}}')).rejects.toThrow(
      expect.objectContaining({ message: 'template:1:3: no field .Statsu', hint: 'did you mean .Status?' }),
    );
  });
});

describe('alignColumns', () => {
  it('pads to at least ten characters and leaves three between columns', () => {
    expect(alignColumns(['a\tb', 'long-content\tc'])).toEqual(['a              b', 'long-content   c']);
    expect(alignColumns(['a\tb'])).toEqual(['a         b']);
  });

  it('ends a column where a line has no cell for it', () => {
    expect(alignColumns(['wide-wide-wide\tx', 'none', 'a\ty'])).toEqual(['wide-wide-wide   x', 'none', 'a         y']);
  });

  it('starts the last cell of equally long rows at one column', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', 'é', '日', ' '), maxLength: 20 });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), (cells) => {
        const lines = alignColumns(cells.map((row) => [...row, 'X'].join('\t')));
        expect(new Set(lines.map((line) => [...line].lastIndexOf('X'))).size).toBe(1);
      }),
    );
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { diagnosticPages, entries } from '../../../scripts/docs/diagnostic-pages.ts';
import { grammarPages } from '../../../scripts/docs/grammar-pages.ts';
import { runExample } from '../../../scripts/docs/run-example.ts';

const docs = fileURLToPath(new URL('../../../docs/', import.meta.url));

describe('examples of diagnostics', () => {
  const run = entries.filter(({ example }) => !example.options?.onlyInBuilds);

  it.each(run)('$code: the wrong one gives it, and nothing else', ({ code, example }) => {
    const { diagnostics } = runExample(code, example.wrong, example.options);
    expect(new Set(diagnostics.map((diagnostic) => diagnostic.code))).toEqual(new Set([code]));
    expect(diagnostics[0]!.hint ?? '', 'a hint').not.toBe(code.startsWith('build/') ? undefined : '');
  });

  it.each(run)('$code: the right one gives nothing', ({ code, example }) => {
    expect(runExample(code, example.right, example.options).diagnostics).toEqual([]);
  });
});

describe('docs/', () => {
  it.each([...diagnosticPages(), ...grammarPages()])('%s is up to date (node scripts/docs.ts)', (path, text) => {
    expect(readFileSync(`${docs}${path}`, 'utf8')).toBe(text);
  });

  it('has no page of a code that is gone', () => {
    const found = readdirSync(`${docs}diagnostics`, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.md'),
    );
    expect(found.map((path) => `diagnostics/${path}`).sort()).toEqual([...diagnosticPages().keys()].sort());
  });
});

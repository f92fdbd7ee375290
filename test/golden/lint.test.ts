import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { printDiagnostic } from '../../src/diagnostics/index.ts';
import { checkText, createIgnoreMatcher, fixText, parseIgnore } from '../../src/parser/index.ts';

/**
 * A folder of fixtures/lint is a case: `Dockerfile` gives `findings.txt`, and `fixed` where something can be mended.
 * Optional: `.dockerignore`, `options.json` (buildArgs, target). UPDATE_GOLDEN=1 rewrites; review the difference.
 */
const root = fileURLToPath(new URL('../../fixtures/lint/', import.meta.url));
const update = process.env['UPDATE_GOLDEN'] === '1';

describe('build check fixtures', () => {
  it.each(readdirSync(root).sort())('%s', (name) => {
    const folder = join(root, name);
    const text = readFileSync(join(folder, 'Dockerfile'), 'utf8');
    const given = optional(join(folder, 'options.json'));
    const ignore = optional(join(folder, '.dockerignore'));
    const options = {
      ...(given === undefined ? {} : (JSON.parse(given) as { target?: string })),
      ...(ignore === undefined ? {} : { ignore: createIgnoreMatcher(parseIgnore(ignore)) }),
    };
    const { diagnostics, parsed } = checkText(text, options);
    const frames = diagnostics.map((diagnostic) => printDiagnostic(diagnostic, parsed.source)).join('\n\n');
    compare(join(folder, 'findings.txt'), frames === '' ? undefined : `${frames}\n`);
    const { text: fixed } = fixText(text, options);
    compare(join(folder, 'fixed'), fixed === text ? undefined : fixed);
  });
});

function compare(file: string, actual: string | undefined): void {
  if (update && actual === undefined) rmSync(file, { force: true });
  else if (update) writeFileSync(file, actual!);
  else expect(actual).toBe(optional(file));
}

function optional(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

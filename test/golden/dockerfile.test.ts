import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { printDiagnostic, type Span } from '../../src/diagnostics/index.ts';
import { type ParsedDockerfile, parseDockerfile } from '../../src/parser/index.ts';

/**
 * A folder of fixtures/dockerfile is a case: `Dockerfile` gives `diagnostics.txt` when there is something to say,
 * and `ir.json` when there is no error. UPDATE_GOLDEN=1 rewrites both; review the difference.
 */
const root = fileURLToPath(new URL('../../fixtures/dockerfile/', import.meta.url));
const update = process.env['UPDATE_GOLDEN'] === '1';

describe('Dockerfile fixtures', () => {
  for (const name of readdirSync(root).sort()) {
    it(name, () => {
      const parsed = parseDockerfile(readFileSync(join(root, name, 'Dockerfile'), 'utf8'));
      compare(join(root, name, 'diagnostics.txt'), diagnosticsText(parsed));
      compare(join(root, name, 'ir.json'), irText(parsed));
    });
  }
});

function compare(file: string, actual: string | undefined): void {
  if (update && actual === undefined) rmSync(file, { force: true });
  else if (update) writeFileSync(file, actual!);
  else expect(actual).toBe(existsSync(file) ? readFileSync(file, 'utf8') : undefined);
}

function diagnosticsText({ diagnostics, source }: ParsedDockerfile): string | undefined {
  if (diagnostics.length === 0) return undefined;
  return `${diagnostics.map((diagnostic) => printDiagnostic(diagnostic, source)).join('\n\n')}\n`;
}

function irText({ diagnostics, value }: ParsedDockerfile): string | undefined {
  if (diagnostics.some(({ severity }) => severity === 'error')) return undefined;
  return `${JSON.stringify(value, (_, inner) => (isSpan(inner) ? range(inner) : inner), 2)}\n`;
}

function isSpan(value: unknown): value is Span {
  return typeof value === 'object' && value !== null && 'start' in value && 'end' in value;
}

/** Spans in one short line: `line:column-line:column`. */
function range({ start, end }: Span): string {
  return `${start.line}:${start.column}-${end.line}:${end.column}`;
}

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { diagnosticPages } from './docs/diagnostic-pages.ts';
import { grammarPages } from './docs/grammar-pages.ts';

/** Writes the pages of docs/ that are made from tables. A test tells when they are out of date. */
const docs = fileURLToPath(new URL('../docs/', import.meta.url));

rmSync(join(docs, 'diagnostics'), { recursive: true, force: true });
for (const [path, text] of [...diagnosticPages(), ...grammarPages()]) {
  mkdirSync(dirname(join(docs, path)), { recursive: true });
  writeFileSync(join(docs, path), text);
}

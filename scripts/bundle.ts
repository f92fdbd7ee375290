import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { build, type Plugin } from 'esbuild';

/**
 * Bundles the program: one file for the client, one for the engine (loaded only by who hosts one), one per worker
 * thread, and the library. Native and optional parts stay outside.
 */
const root = new URL('..', import.meta.url).pathname;
const external = ['koffi'];

/** The client reaches the engine's code only when it has to host it: as a file of its own. */
const engineApart: Plugin = {
  name: 'engine-apart',
  setup({ onResolve }) {
    onResolve({ filter: /\/daemon\/index\.ts$/ }, () => ({ path: './engine.cjs', external: true }));
  },
};

/** Answers before anything modern is parsed, so that an old Node gets a sentence and not a syntax error. */
const launcher = `'use strict';
var found = process.versions.node.split('.').map(Number);
if (found[0] < 22 || (found[0] === 22 && found[1] < 15)) {
  process.stderr.write('berth: Node.js ' + process.versions.node + ' is too old: install Node.js 22.15 or newer\\n');
  process.exit(1);
}
require('node:module').enableCompileCache(
  require('node:path').join(process.env.XDG_CACHE_HOME || require('node:path').join(process.env.HOME || '/root', '.cache'), 'berth', 'code'),
);
require('./cli.cjs');
`;

async function bundle(outfile: string, entry: string, plugins: Plugin[] = []): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node22.15',
    format: 'cjs',
    external,
    plugins,
    // `import()` becomes `require()`: the module loader's own threads must not start before the engine has moved.
    supported: { 'dynamic-import': false },
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: false,
    legalComments: 'none',
    logLevel: 'warning',
    define: { 'import.meta.url': '__berthModuleUrl' },
    banner: { js: 'const __berthModuleUrl=require("node:url").pathToFileURL(__filename).href;' },
  });
}

rmSync(`${root}dist`, { recursive: true, force: true });
mkdirSync(`${root}dist`, { recursive: true });
await Promise.all([
  bundle('dist/cli.cjs', 'src/main.ts', [engineApart]),
  bundle('dist/engine.cjs', 'src/daemon/index.ts'),
  bundle('dist/files-worker.cjs', 'src/runtime/files/worker.ts'),
  bundle('dist/layers-worker.cjs', 'src/runtime/snapshot/worker.ts'),
  build({
    absWorkingDir: root,
    entryPoints: ['src/index.ts'],
    outfile: 'dist/index.js',
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node22.15',
    format: 'esm',
    logLevel: 'warning',
  }),
]);
writeFileSync(`${root}dist/berth.cjs`, launcher);

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { type BuildOptions, build, type Plugin } from 'esbuild';

/**
 * Bundles the program into `dist`: the client in one file, what only some commands need in files of their own (the
 * engine, the parser), one for each worker thread and process, and the library beside them.
 *
 * The program is CommonJS: it loads synchronously, without the threads of the module loader, which must not exist
 * before an engine has moved to its namespace.
 */
const root = new URL('..', import.meta.url).pathname;

/** Modules that the client loads when a command needs them. `ps` never reads the code of an engine or a parser. */
const apart = {
  '/daemon/index.ts': './engine.cjs',
  '/parser/index.ts': './parser.cjs',
  '/registry-client/index.ts': './registry.cjs',
} as const;

const shared: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node22.15',
  legalComments: 'none',
  logLevel: 'warning',
};

/** Answers before anything modern is parsed, so that an old Node gets a sentence and not a syntax error. */
const launcher = `'use strict';
var found = process.versions.node.split('.').map(Number);
if (found[0] < 22 || (found[0] === 22 && found[1] < 15)) {
  process.stderr.write('berth: Node.js ' + process.versions.node + ' is too old: install Node.js 22.15 or newer\\n');
  process.exit(1);
}
var cache = process.env.XDG_CACHE_HOME || (process.env.HOME || '/root') + '/.cache';
require('node:module').enableCompileCache(cache + '/berth/code');
require('./cli.cjs');
`;

const clientParts: Plugin = {
  name: 'client-parts',
  setup({ onResolve }) {
    for (const [ending, path] of Object.entries(apart)) {
      onResolve({ filter: new RegExp(`${ending.replaceAll('.', '\\.')}$`) }, () => ({ path, external: true }));
    }
  },
};

async function program(name: string, entry: string, plugins: Plugin[] = []): Promise<void> {
  await build({
    ...shared,
    entryPoints: [entry],
    outfile: `dist/${name}.cjs`,
    format: 'cjs',
    external: ['koffi'],
    plugins,
    supported: { 'dynamic-import': false },
    minifySyntax: true,
    minifyWhitespace: true,
    // Names stay readable in the engine's log; in the client, every byte is read at every start.
    minifyIdentifiers: name === 'cli',
    define: { 'import.meta.url': '__moduleUrl' },
    banner: { js: 'const __moduleUrl="file://"+encodeURI(__filename).replace(/[?#]/g,encodeURIComponent);' },
  });
}

rmSync(`${root}dist`, { recursive: true, force: true });
mkdirSync(`${root}dist`, { recursive: true });
await Promise.all([
  program('cli', 'src/main.ts', [clientParts]),
  program('engine', 'src/daemon/index.ts'),
  program('parser', 'src/parser/index.ts'),
  program('registry', 'src/registry-client/index.ts'),
  program('files-worker', 'src/runtime/files/worker.ts'),
  program('layers-worker', 'src/runtime/snapshot/worker.ts'),
  program('sender-worker', 'src/registry-client/upload/sender/main.ts'),
  build({ ...shared, entryPoints: ['src/index.ts'], outfile: 'dist/index.js', format: 'esm', packages: 'external' }),
]);
writeFileSync(`${root}dist/berth.cjs`, launcher);

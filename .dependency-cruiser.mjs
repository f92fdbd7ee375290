/**
 * The arrows of ARCHITECTURE.md, as rules. A module may import from its own folder, from the layers below,
 * and only through their `index.ts` (or `ports.ts`, `events.ts`, `ir.ts`, which are types).
 */
const layers = [
  ['diagnostics', 'errors', 'units', 'oci'],
  ['archive', 'parser', 'format', 'api/contract'],
  ['linux'],
  ['cache', 'registry-client', 'runtime', 'network'],
  ['builder', 'engine', 'api/client', 'compose'],
  ['api/server'],
  ['daemon', 'cli', 'web'],
];
const inModules = (modules) => `^src/(${modules.join('|')})/`;

const upward = layers.slice(0, -1).map((modules, depth) => ({
  name: `layer-${depth}-imports-downwards`,
  severity: 'error',
  comment: 'imports go to a lower layer, never up',
  from: { path: inModules(modules) },
  to: { path: inModules(layers.slice(depth + 1).flat()) },
}));

const sideways = layers.slice(2).flatMap((modules) =>
  modules.map((module) => ({
    name: `${module.replace('/', '-')}-not-sideways`,
    severity: 'error',
    comment: 'modules of one layer meet in the composition root, through ports',
    from: { path: inModules([module]) },
    to: { path: inModules(modules.filter((other) => other !== module).concat('none')) },
  })),
);

export default {
  forbidden: [
    ...upward,
    ...sideways,
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'through-the-index',
      severity: 'error',
      comment: 'a module is imported through its public surface',
      from: { path: '^src/(api/[^/]+|[^/]+)/' },
      to: {
        path: '^src/(api/[^/]+|[^/]+)/.+',
        pathNot: ['^src/$1/', '/(index|ports|events|ir|wire)\\.ts$', '^src/api/contract/', '^src/builder/view\\.ts$'],
      },
    },
    {
      name: 'pure-core',
      severity: 'error',
      comment: 'parse, plan, keys, specs and codecs do no I/O',
      from: {
        path: [
          '^src/(diagnostics|errors|units|oci|archive|parser|format|api/contract)/',
          '^src/builder/(plan/|solve/key|view)',
          '^src/runtime/spec/',
        ],
      },
      to: { dependencyTypes: ['core'], path: '^(fs|child_process|net|http|https|dgram|worker_threads|fs/promises)$' },
    },
    {
      name: 'one-door-to-libc',
      severity: 'error',
      from: { pathNot: '^src/linux/ffi\\.ts$' },
      to: { path: 'node_modules/koffi' },
    },
    { name: 'no-orphans', severity: 'warn', from: { orphan: true, pathNot: ['\\.d\\.ts$'] }, to: {} },
    {
      name: 'no-vague-names',
      severity: 'error',
      from: { path: '(^|/)(utils?|helpers?|common|misc|manager)(\\.|/)' },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
};

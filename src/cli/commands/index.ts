import type { Command } from '../context.ts';

/**
 * Where each command of `grammar/cli/commands.json` lives. Loaded on demand: `ps` never pays for `build`.
 */
export const commands: Readonly<Record<string, () => Promise<{ readonly run: Command }>>> = {
  attach: () => import('./attach.ts'),
  build: () => import('./build.ts'),
  commit: () => import('./commit.ts'),
  'container-inspect': async () => ({ run: (await import('./inspect.ts')).inspectContainers }),
  create: () => import('./create.ts'),
  doctor: () => import('./doctor.ts'),
  engine: () => import('./engine.ts'),
  exec: () => import('./exec.ts'),
  export: () => import('./export.ts'),
  history: () => import('./history.ts'),
  'image-inspect': async () => ({ run: (await import('./inspect.ts')).inspectImages }),
  images: () => import('./images.ts'),
  import: () => import('./import.ts'),
  info: () => import('./info.ts'),
  inspect: () => import('./inspect.ts'),
  kill: async () => ({ run: (await import('./lifecycle.ts')).kill }),
  load: () => import('./load.ts'),
  logs: () => import('./logs.ts'),
  ps: () => import('./ps.ts'),
  pull: () => import('./pull.ts'),
  rename: () => import('./rename.ts'),
  restart: async () => ({ run: (await import('./lifecycle.ts')).restart }),
  rm: async () => ({ run: (await import('./lifecycle.ts')).remove }),
  rmi: () => import('./rmi.ts'),
  run: () => import('./run.ts'),
  save: () => import('./save.ts'),
  start: () => import('./start.ts'),
  stop: async () => ({ run: (await import('./lifecycle.ts')).stop }),
  tag: () => import('./tag.ts'),
  top: () => import('./top.ts'),
  version: () => import('./version.ts'),
  wait: async () => ({ run: (await import('./lifecycle.ts')).wait }),
};

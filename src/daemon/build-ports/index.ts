import { mkdirSync } from 'node:fs';
import type { BuilderPorts, RootFiles } from '../../builder/ports.ts';
import { openAgentSockets } from './agent-sockets.ts';
import { type CacheShelves, openCacheFolders } from './cache-folders.ts';
import { gitRepositories } from './git-repositories.ts';
import { webFiles } from './web-files.ts';

export type { CacheShelves } from './cache-folders.ts';

export interface BuildPortsOptions {
  readonly dataFolder: string;
  readonly runFolder: string;
  /** Takes what is half done; it exists. */
  readonly temporary: string;
  readonly files: RootFiles;
}

/** What builds need besides layers, files and containers: caches that stay, lent agents, what ADD fetches. */
export function openBuildPorts(
  options: BuildPortsOptions,
): Pick<BuilderPorts, 'agents' | 'remotes'> & { readonly caches: CacheShelves } {
  const { dataFolder, runFolder, temporary, files } = options;
  const caches = `${dataFolder}/cache/mounts`;
  mkdirSync(caches, { recursive: true, mode: 0o700 });
  return {
    caches: openCacheFolders(caches),
    agents: openAgentSockets(`${runFolder}/a`),
    remotes: { web: webFiles, ...gitRepositories(temporary, files) },
  };
}

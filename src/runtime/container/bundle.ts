import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type HostNetworkFiles, type NetworkPlan, networkFiles } from '../spec/network-files.ts';
import type { OciConfig } from '../spec/oci-config.ts';
import { ociJson } from '../spec/oci-json.ts';
import { unpin } from './bind-sources.ts';
import { takeBack } from './lent-files.ts';
import { releaseSharedMemory } from './shared-memory.ts';

/**
 * Where the runtime state of one engine lies. Every path in it must stay short: a bundle holds sockets, and a socket
 * path has 107 bytes.
 */
export interface RunPaths {
  readonly bundles: string;
  readonly exits: string;
}

export function runPaths(runFolder: string): RunPaths {
  return { bundles: `${runFolder}/b`, exits: `${runFolder}/exits` };
}

/** The bundle folder of an id: its first twelve hex digits, or as many of its hash when it is no hex id. */
export function bundleFolder(paths: RunPaths, id: string): string {
  const short = /^[0-9a-f]{12,}$/.test(id)
    ? id.slice(0, 12)
    : createHash('sha256').update(id).digest('hex').slice(0, 12);
  return `${paths.bundles}/${short}`;
}

export interface BundleFiles {
  readonly hosts: string;
  readonly resolvConf: string;
  readonly hostname: string;
}

/** Makes an empty bundle; what an earlier, unfinished attempt left there is thrown away. */
export function makeBundle(bundle: string): BundleFiles {
  unpin(bundle);
  releaseSharedMemory(bundle);
  takeBack(bundle);
  rmSync(bundle, { recursive: true, force: true });
  mkdirSync(bundle, { recursive: true, mode: 0o700 });
  return { hosts: `${bundle}/hosts`, resolvConf: `${bundle}/resolv.conf`, hostname: `${bundle}/hostname` };
}

export function writeNetworkFiles(files: BundleFiles, plan: NetworkPlan): void {
  const content = networkFiles(plan, hostNetworkFiles());
  writeFileSync(files.hosts, content.hosts, { mode: 0o644 });
  writeFileSync(files.resolvConf, content.resolvConf, { mode: 0o644 });
  writeFileSync(files.hostname, content.hostname, { mode: 0o644 });
}

export function writeConfig(bundle: string, config: OciConfig): void {
  writeFileSync(`${bundle}/config.json`, ociJson(config));
}

export function readConfig(bundle: string): OciConfig | undefined {
  try {
    return JSON.parse(readFileSync(`${bundle}/config.json`, 'utf8')) as OciConfig;
  } catch {
    return undefined;
  }
}

export function removeBundle(bundle: string): void {
  unpin(bundle);
  releaseSharedMemory(bundle);
  takeBack(bundle);
  rmSync(bundle, { recursive: true, force: true });
}

export function listBundles(paths: RunPaths): readonly string[] {
  return existsSync(paths.bundles) ? readdirSync(paths.bundles).map((name) => `${paths.bundles}/${name}`) : [];
}

function hostNetworkFiles(): HostNetworkFiles {
  return { hosts: readText('/etc/hosts'), resolvConf: readText('/etc/resolv.conf') };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

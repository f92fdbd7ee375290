import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';

/** By what the things of one engine are told from those of others on the same machine. */
export interface NetworkMarks {
  /** Of nftables, and the comment on rules in tables of others. */
  readonly table: string;
  /** Of network interfaces. */
  readonly group: number;
}

/** @param engine what the engine calls itself by: the path of its data */
export function networkMarks(engine: string): NetworkMarks {
  const hash = createHash('sha256').update(engine).digest('hex').slice(0, 8);
  return { table: `berth_${hash}`, group: (Number.parseInt(hash, 16) | 0x10000) >>> 0 };
}

export interface HostLink {
  readonly ifname: string;
  readonly group: number;
  readonly master?: string;
}

/** The interfaces of an engine in the host's namespace. */
export function linksOf({ group }: NetworkMarks): readonly HostLink[] {
  return hostLinks().filter((link) => link.group === group);
}

export function hostLinks(): readonly HostLink[] {
  const links = JSON.parse(
    execFileSync('ip', ['-j', 'link'], { encoding: 'utf8', stdio: 'pipe' }),
  ) as readonly HostLink[];
  // A number that nobody gave a name is printed with a sign.
  return links.map((link) => ({ ...link, group: Number(link.group) >>> 0 }));
}

/** All rules, without counters. */
export function hostRules(): string {
  return execFileSync('nft', ['--stateless', 'list', 'ruleset'], { encoding: 'utf8', stdio: 'pipe' });
}

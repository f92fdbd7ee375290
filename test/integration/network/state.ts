import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';

/**
 * What the host has of links and rules of one engine, and of the tests here (`bt-*`). Other engines may come and go
 * meanwhile.
 */
export function leftOnHost(engine: string): { readonly links: readonly string[]; readonly rules: readonly string[] } {
  const hash = createHash('sha256').update(engine).digest('hex').slice(0, 8);
  const group = String((Number.parseInt(hash, 16) | 0x10000) >>> 0);
  const links = JSON.parse(execFileSync('ip', ['-j', 'link'], { encoding: 'utf8' })) as {
    readonly ifname: string;
    readonly group: string;
  }[];
  return {
    links: links.filter((link) => link.group === group || link.ifname.startsWith('bt-')).map(({ ifname }) => ifname),
    rules: execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes(`berth_${hash}`) || line.includes('bt-')),
  };
}

export const nothing = { links: [], rules: [] };

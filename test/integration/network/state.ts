import { execFileSync } from 'node:child_process';

/** What the host has of links and rules: the same before and after, or something was left behind. */
export function hostState(): { readonly links: readonly string[]; readonly rules: string } {
  const links = JSON.parse(execFileSync('ip', ['-j', 'link'], { encoding: 'utf8' })) as { readonly ifname: string }[];
  return {
    links: links.map(({ ifname }) => ifname).sort(),
    rules: execFileSync('nft', ['--stateless', 'list', 'ruleset'], { encoding: 'utf8' }),
  };
}

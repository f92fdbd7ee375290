import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Nft, NftFailure } from './nft.ts';

/**
 * A host whose filter drops what it forwards (Docker sets it up so, and many firewalls do) drops our packets, too,
 * whatever our own table says. There, rules at the end of that filter let pass what comes from and goes to our bridges:
 * behind the host's own rules, which so keep the last word. Our own table, which comes first, has dropped by then what
 * must not pass.
 */
export class ForwardPolicy {
  readonly #nft: () => Nft;
  /** Comment on each of our rules, by which they are found. */
  readonly #mark: string;

  constructor(nft: () => Nft, mark: string) {
    this.#nft = nft;
    this.#mark = mark;
  }

  /** Makes the host's filters pass these bridges, and none that it passed before. */
  apply(bridges: readonly string[]): void {
    for (const family of ['ip', 'ip6']) this.#applyNft(family, bridges);
    if (hasLegacyFilter()) this.#applyLegacy(bridges);
  }

  #applyNft(family: string, bridges: readonly string[]): void {
    const chain = this.#list(family);
    if (chain === undefined) return;
    const wanted = /policy drop/.test(chain)
      ? bridges.flatMap((bridge) => [`iifname "${bridge}"`, `oifname "${bridge}"`])
      : [];
    const present = new Map<string, string>();
    for (const line of chain.split('\n')) {
      if (!line.includes(`comment "${this.#mark}"`)) continue;
      const [match = '', handle = ''] = [/[io]ifname "[^"]+"/.exec(line)?.[0], /# handle (\d+)/.exec(line)?.[1]];
      present.set(match, handle);
    }
    const commands = [
      ...wanted
        .filter((match) => !present.has(match))
        .map((match) => `add rule ${family} filter FORWARD ${match} counter accept comment "${this.#mark}"`),
      ...[...present]
        .filter(([match]) => !wanted.includes(match))
        .map(([, handle]) => `delete rule ${family} filter FORWARD handle ${handle}`),
    ];
    if (commands.length > 0) this.#nft().run(`${commands.join('\n')}\n`);
  }

  #list(family: string): string | undefined {
    try {
      return this.#nft().run(`list chain ${family} filter FORWARD`);
    } catch (error) {
      if (error instanceof NftFailure) return undefined;
      throw error;
    }
  }

  #applyLegacy(bridges: readonly string[]): void {
    const listed = iptables(['-S', 'FORWARD']).split('\n');
    const wanted = listed.includes('-P FORWARD DROP')
      ? bridges.flatMap((bridge) =>
          ['-i', '-o'].map((side) => `${side} ${bridge} -m comment --comment ${this.#mark} -j ACCEPT`),
        )
      : [];
    const present = listed
      .filter((line) => line.includes(`--comment ${this.#mark} `))
      .map((line) => line.replace('-A FORWARD ', ''));
    for (const rule of wanted) if (!present.includes(rule)) iptables(['-A', 'FORWARD', ...rule.split(' ')]);
    for (const rule of present) if (!wanted.includes(rule)) iptables(['-D', 'FORWARD', ...rule.split(' ')]);
  }
}

/** The old packet filter is beside nftables, not below it: only its own program reads and writes it. */
function hasLegacyFilter(): boolean {
  try {
    return readFileSync('/proc/net/ip_tables_names', 'latin1').split('\n').includes('filter');
  } catch {
    return false;
  }
}

function iptables(args: readonly string[]): string {
  const { stdout } = spawnSync('iptables-legacy', ['-w', ...args], {
    encoding: 'utf8',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  });
  return stdout ?? '';
}

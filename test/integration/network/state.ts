import { hostLinks, hostRules, networkMarks } from '../../support/network-marks.ts';

/**
 * What the host has of links and rules of one engine, and of the tests here (`bt-*`). Other engines may come and go
 * meanwhile.
 */
export function leftOnHost(engine: string): { readonly links: readonly string[]; readonly rules: readonly string[] } {
  const { table, group } = networkMarks(engine);
  return {
    links: hostLinks()
      .filter((link) => link.group === group || link.ifname.startsWith('bt-'))
      .map(({ ifname }) => ifname),
    rules: hostRules()
      .split('\n')
      .filter((line) => line.includes(table) || line.includes('bt-')),
  };
}

export const nothing = { links: [], rules: [] };

export type ExposedPort =
  | { readonly ok: true; readonly ports: readonly string[]; readonly dropped: boolean }
  | { readonly ok: false; readonly why: string };

/**
 * Reads one word of EXPOSE: `80`, `80/udp`, `8000-8003`, and the forms with host parts, which are dropped.
 * @returns keys of `ExposedPorts`, as `80/tcp`
 */
export function parseExpose(word: string): ExposedPort {
  const slash = word.indexOf('/');
  const proto = slash < 0 ? 'tcp' : word.slice(slash + 1).toLowerCase() || 'tcp';
  const address = slash < 0 ? word : word.slice(0, slash);
  const container = address.slice(address.lastIndexOf(':') + 1);
  if (container === '') return { ok: false, why: 'no port is given' };
  if (!['tcp', 'udp', 'sctp'].includes(proto))
    return { ok: false, why: `unknown protocol ${proto}: use tcp, udp or sctp` };
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(container);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || first > 65535 || last > 65535) return { ok: false, why: `${container} is not a port (0 to 65535)` };
  if (last < first) return { ok: false, why: `the range ${container} ends before it starts` };
  const ports = Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${proto}`);
  return { ok: true, ports, dropped: container !== address };
}

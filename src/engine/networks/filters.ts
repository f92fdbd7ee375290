import type { Filters } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import { parseRfc3339 } from '../../units/index.ts';
import type { NetworkRecord } from './record.ts';

export const PREDEFINED_NETWORKS: ReadonlySet<string> = new Set(['bridge', 'host', 'none']);

/** The list's filters as one test. @throws BerthError `invalid` for values that mean nothing */
export function networkFilter(filters: Filters): (network: NetworkRecord, isUsed: boolean) => boolean {
  const values = (key: string) => filters.get(key) ?? [];
  const some = (key: string, test: (value: string) => boolean) => values(key).length === 0 || values(key).some(test);
  const dangling = values('dangling').map((text) => readBool('dangling', text));
  for (const type of values('type')) {
    if (type !== 'custom' && type !== 'builtin') throw new BerthError('invalid', `invalid filter 'type=${type}'`);
  }
  return (network, isUsed) =>
    some('id', (id) => network.id.startsWith(id)) &&
    some('name', (name) => network.name.includes(name)) &&
    some('driver', (driver) => network.driver === driver) &&
    some('scope', (scope) => scope === 'local') &&
    some('type', (type) => (type === 'builtin') === PREDEFINED_NETWORKS.has(network.name)) &&
    (dangling.length === 0 || dangling.includes(!isUsed && !PREDEFINED_NETWORKS.has(network.name))) &&
    hasLabels(network, filters);
}

/** What a prune may take, of networks that nobody uses. */
export function isPrunable(network: NetworkRecord, filters: Filters, now: number): boolean {
  const until = (filters.get('until') ?? []).map((text) => moment(text, now));
  return (
    !PREDEFINED_NETWORKS.has(network.name) &&
    until.every((limit) => network.createdAt < limit) &&
    hasLabels(network, filters)
  );
}

/** Every `label` must be there, and no `label!`. */
function hasLabels({ labels }: NetworkRecord, filters: Filters): boolean {
  const has = (text: string) => {
    const equals = text.indexOf('=');
    const key = equals < 0 ? text : text.slice(0, equals);
    return key in labels && (equals < 0 || labels[key] === text.slice(equals + 1));
  };
  return (filters.get('label') ?? []).every(has) && !(filters.get('label!') ?? []).some(has);
}

function moment(text: string, now: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const time = parseRfc3339(text);
  if (time !== undefined) return time;
  throw new BerthError('invalid', `invalid filter 'until=${text}'`, { hint: `as ${new Date(now).toISOString()}` });
}

function readBool(key: string, text: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw new BerthError('invalid', `invalid filter '${key}=[${text}]'`);
}

import type { Filters } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { VolumeRecord } from './record.ts';

/** The list's filters as one test. @throws BerthError `invalid` for values that mean nothing */
export function volumeFilter(filters: Filters): (volume: VolumeRecord, isUsed: boolean) => boolean {
  const dangling = (filters.get('dangling') ?? []).map((text) => readBool('dangling', text));
  const names = filters.get('name') ?? [];
  const drivers = filters.get('driver') ?? [];
  return (volume, isUsed) =>
    (dangling.length === 0 || dangling.includes(!isUsed)) &&
    (names.length === 0 || names.some((name) => volume.name.includes(name))) &&
    (drivers.length === 0 || drivers.includes('local')) &&
    hasLabels(volume, filters);
}

/** Without `all`, only what nobody named. */
export function isPrunable(volume: VolumeRecord, filters: Filters): boolean {
  const isAll = (filters.get('all') ?? []).some((text) => readBool('all', text));
  return (isAll || volume.anonymous) && hasLabels(volume, filters);
}

/** Every `label` must be there, and no `label!`. */
function hasLabels({ labels }: VolumeRecord, filters: Filters): boolean {
  const has = (text: string) => {
    const equals = text.indexOf('=');
    const key = equals < 0 ? text : text.slice(0, equals);
    return key in labels && (equals < 0 || labels[key] === text.slice(equals + 1));
  };
  return (filters.get('label') ?? []).every(has) && !(filters.get('label!') ?? []).some(has);
}

function readBool(key: string, text: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw new BerthError('invalid', `invalid filter '${key}=[${text}]'`);
}

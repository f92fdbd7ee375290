import type { BuildCacheBody } from '../../api/contract/index.ts';
import { FILTER_KEYS, type Filters } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import { parseDuration, parseTimestamp } from '../../units/index.ts';

/** What the filters of a prune look at. */
interface Labelled {
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/**
 * The filters that prunes of containers share with others: `label`, `label!` and `until`.
 * @throws BerthError `invalid`
 */
export function labelledFilter(filters: Filters, now: number): (item: Labelled) => boolean {
  refuseUnknown(filters, FILTER_KEYS.containersPrune);
  const times = (filters.get('until') ?? []).map((value) => parseTimestamp(value, now));
  const wanted = filters.get('label') ?? [];
  const unwanted = filters.get('label!') ?? [];
  return ({ labels, createdAt }) =>
    times.every((time) => createdAt < time) &&
    wanted.every((label) => hasLabel(labels, label)) &&
    !unwanted.some((label) => hasLabel(labels, label));
}

type CacheTest = (item: BuildCacheBody) => boolean;

const same =
  (field: (item: BuildCacheBody) => string) =>
  (values: readonly string[]): CacheTest =>
  (item) =>
    values.includes(field(item));
const flag = (field: (item: BuildCacheBody) => boolean) => (): CacheTest => field;
/** `24h`: not used for so long. A point in time: not used since. */
const unused = (values: readonly string[], now: number): CacheTest => {
  const limits = values.map((value) => limitOf(value, now));
  return ({ LastUsedAt, CreatedAt }) => limits.every((limit) => Date.parse(LastUsedAt ?? CreatedAt) < limit);
};

/** @see buildkit, "Filtering prune" */
const CACHE_RULES: Readonly<Record<string, (values: readonly string[], now: number) => CacheTest>> = {
  until: unused,
  'unused-for': unused,
  id:
    (values) =>
    ({ ID }) =>
      values.some((value) => ID.startsWith(value)),
  type: same(({ Type }) => Type),
  description:
    (values) =>
    ({ Description }) =>
      values.some((value) => Description.includes(value)),
  inuse: flag(({ InUse }) => InUse),
  shared: flag(({ Shared }) => Shared),
  private: flag(({ Shared }) => !Shared),
};

/** @throws BerthError `invalid` */
export function cacheFilter(filters: Filters, now: number): CacheTest {
  refuseUnknown(filters, FILTER_KEYS.buildPrune);
  const tests = [...filters].flatMap(([key, values]) => CACHE_RULES[key]?.(values, now) ?? []);
  return (item) => tests.every((test) => test(item));
}

function limitOf(value: string, now: number): number {
  try {
    return now - parseDuration(value) / 1e6;
  } catch {
    return parseTimestamp(value, now);
  }
}

function refuseUnknown(filters: Filters, keys: readonly string[]): void {
  for (const key of filters.keys()) {
    if (!keys.includes(key))
      throw new BerthError('invalid', `invalid filter '${key}'`, { hint: `use ${keys.join(', ')}` });
  }
}

function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const equals = wanted.indexOf('=');
  const key = equals < 0 ? wanted : wanted.slice(0, equals);
  return Object.hasOwn(labels, key) && (equals < 0 || labels[key] === wanted.slice(equals + 1));
}

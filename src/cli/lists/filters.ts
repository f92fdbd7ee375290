import { encodeFilters } from '../../api/contract/index.ts';

/** Repeated `--filter key=value` flags as the API's `filters` parameter; undefined when there are none. */
export function filtersQuery(
  flags: readonly string[],
  more: Readonly<Record<string, string>> = {},
): string | undefined {
  const filters = new Map<string, string[]>();
  const add = (key: string, value: string) => filters.set(key, [...(filters.get(key) ?? []), value]);
  for (const flag of flags) {
    const equals = flag.indexOf('=');
    add(flag.slice(0, equals).trim().toLowerCase(), flag.slice(equals + 1).trim());
  }
  for (const [key, value] of Object.entries(more)) add(key, value);
  return filters.size === 0 ? undefined : encodeFilters(filters);
}

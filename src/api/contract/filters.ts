import { BerthError } from '../../errors/index.ts';
import type { Filters } from './system.ts';

/** Keys that each list accepts; another key is an error, so that a typo never lists everything. */
export const FILTER_KEYS = {
  containers: [
    'ancestor',
    'before',
    'exited',
    'expose',
    'health',
    'id',
    'is-task',
    'isolation',
    'label',
    'name',
    'network',
    'publish',
    'since',
    'status',
    'volume',
  ],
  networks: ['dangling', 'driver', 'id', 'label', 'label!', 'name', 'scope', 'type'],
  networksPrune: ['label', 'label!', 'until'],
  volumes: ['dangling', 'driver', 'label', 'label!', 'name'],
  volumesPrune: ['all', 'label', 'label!'],
  imagesPrune: ['dangling', 'label', 'label!', 'until'],
  containersPrune: ['label', 'label!', 'until'],
  buildPrune: ['description', 'id', 'inuse', 'private', 'shared', 'type', 'until', 'unused-for'],
  images: ['before', 'dangling', 'label', 'label!', 'reference', 'since', 'until'],
  search: ['is-automated', 'is-official', 'stars'],
  events: [
    'config',
    'container',
    'daemon',
    'event',
    'image',
    'label',
    'network',
    'node',
    'plugin',
    'scope',
    'secret',
    'service',
    'type',
    'volume',
  ],
} as const satisfies Record<string, readonly string[]>;

/**
 * Decodes the `filters` parameter, in both forms that clients send: `{"label":["a"]}` and `{"label":{"a":true}}`.
 * @throws BerthError `invalid`
 */
export function parseFilters(json: string | undefined, allowed?: readonly string[]): Filters {
  if (json === undefined || json === '') return new Map();
  const filters = new Map<string, readonly string[]>();
  for (const [key, given] of Object.entries(parseObject(json))) {
    if (allowed && !allowed.includes(key)) throw new BerthError('invalid', `invalid filter '${key}'`);
    filters.set(key, readValues(key, given));
  }
  return filters;
}

function parseObject(json: string): object {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new BerthError('invalid', 'invalid filters: not JSON', { cause });
  }
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new BerthError('invalid', 'invalid filters: not a JSON object');
  }
  return value;
}

function readValues(key: string, given: unknown): readonly string[] {
  if (Array.isArray(given) && given.every((value) => typeof value === 'string')) return given;
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return Object.keys(given);
  throw new BerthError('invalid', `invalid filter '${key}': its values must be a list of strings`);
}

/** The form that every engine since API 1.22 reads. */
export function encodeFilters(filters: Filters): string {
  return JSON.stringify(
    Object.fromEntries([...filters].map(([key, values]) => [key, Object.fromEntries(values.map((v) => [v, true]))])),
  );
}

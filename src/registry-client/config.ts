import { BerthError } from '../errors/index.ts';

/** How registries are reached. The same shape is read from the configuration file. */
export interface RegistryConfig {
  /** Registry that stands in for `docker.io`: names without a registry go there. */
  readonly defaultRegistry?: string;
  /** The rule with the longest matching prefix counts. */
  readonly rules?: readonly RegistryRule[];
  /** Folders with `<host[:port]>/{*.crt,*.cert,*.key}`, in Docker's form. */
  readonly certificateFolders?: readonly string[];
  /** Fetch layers that a manifest says lie elsewhere (`urls`). Off by default. */
  readonly allowForeignLayers?: boolean;
}

export interface RegistryRule {
  /** `registry[/path]`, matched on whole components: `docker.io`, `ghcr.io/team`. */
  readonly prefix: string;
  /** What the prefix is replaced by: `registry[/path]`, or a URL to fix the scheme. */
  readonly location?: string;
  /** Tried in order before the registry itself, and only to read. */
  readonly mirrors?: readonly Mirror[];
  /** Allows plain http, and certificates that nobody vouches for. */
  readonly insecure?: boolean;
  readonly blocked?: 'pull' | 'push' | 'all';
}

export interface Mirror {
  /** `registry[/path]`, or a URL to fix the scheme. */
  readonly location: string;
  readonly insecure?: boolean;
}

/**
 * Checks a configuration that came from outside.
 * @throws BerthError `invalid` naming the field
 */
export function parseRegistryConfig(value: unknown): RegistryConfig {
  const top = fieldsOf(value, '', ['defaultRegistry', 'rules', 'certificateFolders', 'allowForeignLayers']);
  return {
    ...present('defaultRegistry', text(top['defaultRegistry'], 'defaultRegistry')),
    ...present('rules', list(top['rules'], 'rules')?.map(parseRule)),
    ...present(
      'certificateFolders',
      list(top['certificateFolders'], 'certificateFolders')?.map((item) => need(text(item, 'certificateFolders'))),
    ),
    ...present('allowForeignLayers', flag(top['allowForeignLayers'], 'allowForeignLayers')),
  };
}

const BLOCKS = ['pull', 'push', 'all'] as const;

function parseRule(value: unknown, index: number): RegistryRule {
  const at = `rules[${index}]`;
  const rule = fieldsOf(value, at, ['prefix', 'location', 'mirrors', 'insecure', 'blocked']);
  const blockedText = text(rule['blocked'], `${at}.blocked`);
  const blocked = BLOCKS.find((known) => known === blockedText);
  if (blocked !== blockedText) throw invalid(`${at}.blocked`, 'must be pull, push or all');
  return {
    prefix: need(text(rule['prefix'], `${at}.prefix`), `${at}.prefix`).replace(/\/+$/, ''),
    ...present('location', text(rule['location'], `${at}.location`)),
    ...present(
      'mirrors',
      list(rule['mirrors'], `${at}.mirrors`)?.map((mirror, place) => parseMirror(mirror, `${at}.mirrors[${place}]`)),
    ),
    ...present('insecure', flag(rule['insecure'], `${at}.insecure`)),
    ...present('blocked', blocked),
  };
}

function parseMirror(value: unknown, at: string): Mirror {
  if (typeof value === 'string') return { location: value };
  const mirror = fieldsOf(value, at, ['location', 'insecure']);
  return {
    location: need(text(mirror['location'], `${at}.location`), `${at}.location`),
    ...present('insecure', flag(mirror['insecure'], `${at}.insecure`)),
  };
}

function fieldsOf(value: unknown, at: string, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(at || 'it', 'must be an object');
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) throw invalid(at ? `${at}.${unknown}` : unknown, 'is not a known setting');
  return value as Readonly<Record<string, unknown>>;
}

function text(value: unknown, at: string): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw invalid(at, 'must be a text');
}

function flag(value: unknown, at: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw invalid(at, 'must be true or false');
}

function list(value: unknown, at: string): readonly unknown[] | undefined {
  if (value === undefined || Array.isArray(value)) return value;
  throw invalid(at, 'must be a list');
}

function need<T>(value: T | undefined, at = 'an entry'): T {
  if (value === undefined) throw invalid(at, 'is missing');
  return value;
}

function invalid(at: string, why: string): BerthError {
  return new BerthError('invalid', `the registry configuration is wrong: ${at} ${why}`);
}

function present<K extends string, V>(key: K, value: V | undefined): { readonly [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]: V });
}

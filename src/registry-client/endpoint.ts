import { BerthError } from '../errors/index.ts';
import type { Reference } from '../oci/index.ts';
import type { RegistryConfig, RegistryRule } from './config.ts';

/** One place that serves a repository. */
export interface Endpoint {
  readonly host: RegistryHost;
  readonly repository: string;
  readonly isMirror: boolean;
}

/** A host that speaks the distribution protocol. */
export interface RegistryHost {
  /** `host[:port]` as it stands in URLs. */
  readonly authority: string;
  /** Fixed by a URL in the configuration. */
  readonly scheme?: 'http' | 'https';
  /** Plain http and unknown certificates are fine. */
  readonly insecure: boolean;
  /** Name under which credentials are kept. */
  readonly credentialKey: string;
}

const HUB = 'docker.io';
/** Docker Hub's API lives under another name than its images. */
const HUB_API = 'registry-1.docker.io';

/**
 * Where a repository is served, in the order of trying: mirrors (only to pull), then the registry.
 * @throws BerthError `forbidden` when the configuration blocks it
 */
export function endpointsFor(
  reference: Pick<Reference, 'registry' | 'repository'>,
  config: RegistryConfig,
  action: 'pull' | 'push',
): readonly Endpoint[] {
  const name = `${reference.registry}/${reference.repository}`;
  const rule = ruleFor(name, config.rules ?? []);
  if (rule?.blocked === action || rule?.blocked === 'all') {
    throw new BerthError('forbidden', `the registry configuration blocks ${action} of ${rule.prefix}`);
  }
  const rest = rule ? name.slice(rule.prefix.length).replace(/^\//, '') : '';
  const mirrors = action === 'pull' ? (rule?.mirrors ?? []) : [];
  return [
    ...mirrors.map(({ location, insecure }) => placed(location, rest, { insecure, isMirror: true })),
    upstream(reference, { rule, rest, config }),
  ];
}

/** Where a registry itself is, past its mirrors. @throws BerthError `forbidden` when the configuration blocks it */
export function registryPlace(registry: string, config: RegistryConfig): Endpoint {
  const endpoint = endpointsFor({ registry, repository: '' }, config, 'pull').at(-1);
  if (endpoint === undefined) throw new Error('a registry has at least one place');
  return endpoint;
}

function upstream(
  { registry, repository }: Pick<Reference, 'registry' | 'repository'>,
  { rule, rest, config }: { rule: RegistryRule | undefined; rest: string; config: RegistryConfig },
): Endpoint {
  const insecure = rule?.insecure;
  if (rule?.location !== undefined) return placed(rule.location, rest, { insecure, isMirror: false });
  if (registry === HUB && config.defaultRegistry !== undefined) {
    return placed(config.defaultRegistry, repository, { insecure, isMirror: false });
  }
  return { host: hostFor(registry, { insecure }), repository, isMirror: false };
}

/** @param authority `host[:port]`, or `docker.io` */
export function hostFor(
  authority: string,
  options: { readonly insecure?: boolean | undefined; readonly scheme?: 'http' | 'https' } = {},
): RegistryHost {
  const { insecure = isLoopback(hostnameOf(authority)), scheme } = options;
  return {
    authority: authority === HUB ? HUB_API : authority,
    insecure: insecure || scheme === 'http',
    credentialKey: authority,
    ...(scheme ? { scheme } : {}),
  };
}

function placed(
  location: string,
  rest: string,
  { insecure, isMirror }: { readonly insecure: boolean | undefined; readonly isMirror: boolean },
): Endpoint {
  const url = /^(https?):\/\//.exec(location);
  const [authority = '', ...path] = location.slice(url?.[0].length ?? 0).split('/');
  if (authority === '' || /[\s@?#]/.test(location)) {
    throw new BerthError(
      'invalid',
      `the registry configuration names a place that is none: ${JSON.stringify(location)}`,
    );
  }
  const scheme = url?.[1] as 'http' | 'https' | undefined;
  const repository = [...path, rest].filter((part) => part !== '').join('/');
  return { host: hostFor(authority, { insecure, ...(scheme ? { scheme } : {}) }), repository, isMirror };
}

function ruleFor(name: string, rules: readonly RegistryRule[]): RegistryRule | undefined {
  return rules
    .filter(({ prefix }) => name === prefix || name.startsWith(`${prefix}/`))
    .sort((a, b) => b.prefix.length - a.prefix.length)[0];
}

/** True when certificates of a host need not be known to anybody. */
export function isInsecure(authority: string, { rules = [] }: RegistryConfig): boolean {
  const places = rules.flatMap(({ prefix, location, insecure, mirrors = [] }) => [
    { location: location ?? prefix, insecure },
    ...mirrors,
  ]);
  const told = places.filter(
    (place) => place.insecure !== undefined && placed(place.location, '', placing).host.authority === authority,
  );
  return told.length === 0 ? isLoopback(hostnameOf(authority)) : told.some(({ insecure }) => insecure === true);
}

const placing = { insecure: undefined, isMirror: false };

/** The name of `host[:port]` without port and brackets. */
export function hostnameOf(authority: string): string {
  return authority.startsWith('[') ? authority.slice(1, authority.indexOf(']')) : authority.replace(/:\d+$/, '');
}

/** Addresses of this machine, as far as a name tells without asking anybody. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

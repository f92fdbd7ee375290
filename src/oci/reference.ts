import { BerthError } from '../errors/index.ts';
import { type Digest, isDigest } from './digest.ts';

/** Host with optional port: `docker.io`, `localhost:5000`, `[::1]:5000`. */
export type Registry = string;
/** 1 to 128 characters of `[A-Za-z0-9_.-]`, the first one of `[A-Za-z0-9_]`. */
export type Tag = string;

/** A place for images: all tags of one name. */
export interface Repository {
  readonly registry: Registry;
  /** Path within the registry: `library/busybox`. */
  readonly repository: string;
}

/** An image name, completed as Docker does it: `busybox` is `docker.io/library/busybox`. */
export interface Reference extends Repository {
  readonly tag?: Tag;
  readonly digest?: Digest;
}

const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[\w][\w.-]{0,127}$/;
const HOST =
  /^(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)(?::[0-9]+)?$/;
const DEFAULT_REGISTRY = 'docker.io';
const HUB_NAMES = new Set([DEFAULT_REGISTRY, 'index.docker.io', 'registry-1.docker.io']);

function isPort(host: string): boolean {
  const port = /:(\d+)$/.exec(host)?.[1];
  return port === undefined || Number(port) <= 65_535;
}

/**
 * Reads an image reference in Docker's familiar form. No tag is added: see `withDefaultTag`.
 * @throws BerthError `invalid`
 * @see distribution/reference, "normalize.go"
 */
export function parseReference(text: string): Reference {
  const fail = (why: string, hint?: string): never => {
    throw new BerthError(
      'invalid',
      `invalid reference format: ${JSON.stringify(text.slice(0, 300))}: ${why}`,
      hint ? { hint } : {},
    );
  };
  const [named, digestText] = splitOnce(text, '@');
  if (digestText !== undefined && !isDigest(digestText)) fail('the part after @ is not a digest');
  const { registry, remainder } = splitRegistry(named);
  const colon = remainder.lastIndexOf(':');
  const path = colon > remainder.lastIndexOf('/') ? remainder.slice(0, colon) : remainder;
  const tag = colon > remainder.lastIndexOf('/') ? remainder.slice(colon + 1) : undefined;
  if (path === '') fail('the name is empty');
  if (!isPort(registry)) fail('the port is too large');
  if (path !== path.toLowerCase())
    fail('repository name must be lowercase', `write ${text.replace(path, path.toLowerCase())}`);
  if (!path.split('/').every((component) => COMPONENT.test(component)))
    fail('the name has a character that is not allowed');
  if (tag !== undefined && !TAG.test(tag)) fail('the tag has a character that is not allowed');
  if (registry === DEFAULT_REGISTRY && /^[0-9a-f]{64}$/.test(path)) fail('a name cannot be 64 hexadecimal digits');
  const repository = registry === DEFAULT_REGISTRY && !path.includes('/') ? `library/${path}` : path;
  if (`${registry}/${repository}`.length > 255) fail('the name is longer than 255 characters');
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digestText === undefined ? {} : { digest: digestText as Digest }),
  };
}

/**
 * A name without tag and digest, as commands about a whole repository take it.
 * @throws BerthError `invalid`
 */
export function parseRepository(text: string): Repository {
  const { registry, repository, tag, digest } = parseReference(text);
  if (tag === undefined && digest === undefined) return { registry, repository };
  throw new BerthError('invalid', `${JSON.stringify(text)} names one image of a repository`, {
    hint: `write ${familiarRepository({ registry, repository })}`,
  });
}

/** A registry alone: `ghcr.io`, `localhost:5000`, also as a URL. @throws BerthError `invalid` */
export function parseRegistry(text: string): Registry {
  const host = text.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  if (HOST.test(host) && isPort(host)) return HUB_NAMES.has(host) ? DEFAULT_REGISTRY : host;
  throw new BerthError('invalid', `not a registry: ${JSON.stringify(text.slice(0, 300))}`, {
    hint: 'write HOST or HOST:PORT, as localhost:5000',
  });
}

export function isTag(text: string): text is Tag {
  return TAG.test(text);
}

export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;
}

/** The complete form, as `docker.io/library/busybox:1.36`: the key of an image in the store. */
export function canonicalName(reference: Reference): string {
  return `${reference.registry}/${reference.repository}${suffix(reference)}`;
}

/** The short form that people read, as `busybox:1.36`. */
export function familiarName(reference: Reference): string {
  return `${familiarRepository(reference)}${suffix(reference)}`;
}

/** The short form without tag and digest. */
export function familiarRepository(reference: Repository): string {
  if (reference.registry !== DEFAULT_REGISTRY) return `${reference.registry}/${reference.repository}`;
  const [first = '', second, ...more] = reference.repository.split('/');
  if (first === 'library' && second !== undefined && more.length === 0) return second;
  // A path that begins as a host does would be read as one.
  return looksLikeHost(first) ? `${reference.registry}/${reference.repository}` : reference.repository;
}

function suffix({ tag, digest }: Reference): string {
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function looksLikeHost(first: string): boolean {
  return /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
}

/** The first component is a registry only if it could not be a user name: it has a dot, a port, or is localhost. */
function splitRegistry(named: string): { registry: string; remainder: string } {
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  if (slash < 0 || !looksLikeHost(first) || !HOST.test(first)) return { registry: DEFAULT_REGISTRY, remainder: named };
  const registry = first === 'index.docker.io' ? DEFAULT_REGISTRY : first;
  return { registry, remainder: named.slice(slash + 1) };
}

import { BerthError } from '../errors/index.ts';
import { type Digest, isDigest } from './digest.ts';

/** An image name, completed as Docker does it: `busybox` is `docker.io/library/busybox`. */
export interface Reference {
  /** Host with optional port: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry: string;
  /** Path within the registry: `library/busybox`. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[\w][\w.-]{0,127}$/;
const HOST =
  /^(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)(?::[0-9]+)?$/;
const DEFAULT_REGISTRY = 'docker.io';

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
  if (path !== path.toLowerCase()) fail('repository name must be lowercase', `write ${path.toLowerCase()}`);
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
export function familiarRepository(reference: Reference): string {
  if (reference.registry !== DEFAULT_REGISTRY) return `${reference.registry}/${reference.repository}`;
  return reference.repository.startsWith('library/')
    ? reference.repository.slice('library/'.length)
    : reference.repository;
}

function suffix({ tag, digest }: Reference): string {
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** The first component is a registry only if it could not be a user name: it has a dot, a port, or is localhost. */
function splitRegistry(named: string): { registry: string; remainder: string } {
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  if (slash < 0 || !isHost || !HOST.test(first)) return { registry: DEFAULT_REGISTRY, remainder: named };
  const registry = first === 'index.docker.io' ? DEFAULT_REGISTRY : first;
  return { registry, remainder: named.slice(slash + 1) };
}

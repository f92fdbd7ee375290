import type { Filters } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import { familiarName, familiarRepository, parseReference } from '../../oci/index.ts';
import { parseRfc3339, parseTimestamp } from '../../units/index.ts';
import type { StoredImage } from '../ports.ts';
import type { ImageContext } from './context.ts';
import { pathGlob } from './glob.ts';
import { resolveImage } from './resolve.ts';

export interface ImageFilter {
  readonly accepts: (image: StoredImage) => boolean;
  /** Whether a canonical name is shown: a `reference` filter hides the names that it does not match. */
  readonly shows: (name: string) => boolean;
}

type Test = (image: StoredImage) => boolean;
type Rule = (values: readonly string[], context: ImageContext) => Promise<Test> | Test;

/** @see moby daemon/images/images.go, "imagesAcceptedFilters" */
const RULES: Readonly<Record<string, Rule>> = {
  dangling: ([value]) => {
    const wanted = booleanValue(value ?? '');
    return (image) => isDangling(image) === wanted;
  },
  label: (values) => (image) => values.every((value) => hasLabel(image, value)),
  'label!': (values) => (image) => !values.some((value) => hasLabel(image, value)),
  before: (values, context) => compareCreated(values, context, (created, other) => created < other),
  since: (values, context) => compareCreated(values, context, (created, other) => created > other),
  until: (values, { ports }) => {
    const times = values.map((value) => parseTimestamp(value, ports.clock.now()));
    return (image) => times.every((time) => createdMs(image) < time);
  },
  reference: (values) => {
    const shows = referenceMatcher(values);
    return ({ names, repoDigests }) => [...names, ...repoDigests].some(shows);
  },
};

/** Compiles the `filters` of an image list. @throws BerthError `invalid` for unknown keys and bad values */
export async function imageFilter(filters: Filters, context: ImageContext): Promise<ImageFilter> {
  const tests: Test[] = [];
  for (const [key, values] of filters) {
    const rule = Object.hasOwn(RULES, key) ? RULES[key] : undefined;
    if (rule === undefined) throw new BerthError('invalid', `invalid filter '${key}'`);
    if (values.length > 0) tests.push(await rule(values, context));
  }
  const references = filters.get('reference') ?? [];
  return {
    accepts: (image) => tests.every((test) => test(image)),
    shows: references.length === 0 ? () => true : referenceMatcher(references),
  };
}

function isDangling({ names, repoDigests }: StoredImage): boolean {
  return names.length === 0 && repoDigests.length === 0;
}

export function createdMs({ config }: StoredImage): number {
  return (config.created === undefined ? undefined : parseRfc3339(config.created)) ?? 0;
}

function hasLabel({ config }: StoredImage, wanted: string): boolean {
  const labels = config.config?.Labels ?? {};
  const equals = wanted.indexOf('=');
  const key = equals < 0 ? wanted : wanted.slice(0, equals);
  return Object.hasOwn(labels, key) && (equals < 0 || labels[key] === wanted.slice(equals + 1));
}

async function compareCreated(
  values: readonly string[],
  { ports }: ImageContext,
  compare: (created: number, other: number) => boolean,
): Promise<Test> {
  const others = await Promise.all(values.map(async (ref) => createdMs((await resolveImage(ports.images, ref)).image)));
  return (image) => others.every((other) => compare(createdMs(image), other));
}

/** A pattern is tried on the short name with tag, then on the short name alone. */
function referenceMatcher(patterns: readonly string[]): (canonical: string) => boolean {
  const globs = patterns.map(pathGlob);
  return (canonical) => {
    const reference = parseReference(canonical);
    const forms = [familiarName(reference), familiarRepository(reference)];
    return globs.some((glob) => forms.some(glob));
  };
}

export function booleanValue(text: string): boolean {
  if (/^(?:1|t|true)$/i.test(text)) return true;
  if (/^(?:0|f|false)$/i.test(text)) return false;
  throw new BerthError('invalid', `invalid filter 'dangling=[${text}]'`, { hint: 'write true or false' });
}

import { nearest, type Span } from '../../diagnostics/index.ts';
import { isBerthError } from '../../errors/index.ts';
import {
  canonicalName,
  familiarName,
  type Platform,
  parsePlatform,
  parseReference,
  withDefaultTag,
} from '../../oci/index.ts';
import type { Word } from '../../parser/ir.ts';
import { finding } from '../findings.ts';
import type { BaseImage } from '../ports.ts';
import type { GraphBuilder, NodeId } from './graph.ts';
import type { Planning } from './stage-state.ts';
import { Words } from './words.ts';

/** A FROM line with its variables replaced. */
export interface BaseName {
  readonly text: string;
  /** Undefined without a `--platform` of its own. */
  readonly platform: Platform | undefined;
}

export interface NamedImage {
  /** Canonical reference. */
  readonly name: string;
  readonly base: BaseImage;
}

/** Reads every FROM, also of stages that the target does not need, so that a typo is told at once. */
export function readBases(planning: Planning): Map<number, BaseName> {
  const { dockerfile, globals, report } = planning;
  const words = new Words(dockerfile.escape, (name) => globals.get(name), report);
  return new Map(
    dockerfile.stages.map(({ index, from: { image, platform } }) => {
      const text = words.one(image);
      if (text.trim() === '') {
        const message = `the base name ${image.text} is blank once its variables are replaced`;
        report(finding('build/blank-base', image.span, message, 'give the ARG before the first FROM a default'));
      }
      return [index, { text, platform: platform && readPlatform(planning, words, platform) }];
    }),
  );
}

function readPlatform({ options, report }: Planning, words: Words, word: Word): Platform {
  const text = words.one(word);
  try {
    return parsePlatform(text);
  } catch (error) {
    if (!isBerthError(error)) throw error;
    const message = text === '' ? `the platform ${word.text} is empty once its variables are replaced` : error.message;
    report(finding('build/bad-platform', word.span, message, error.hint));
    return options.platform;
  }
}

/** An image of the store; asks for it, or reports that it is not there. */
export function imageNamed(planning: Planning, text: string, span: Span): NamedImage | undefined {
  if (text.trim() === '') return undefined;
  let name: string;
  try {
    name = canonicalName(withDefaultTag(parseReference(text)));
  } catch (error) {
    if (!isBerthError(error)) throw error;
    planning.report(finding('build/bad-reference', span, error.message, error.hint));
    return undefined;
  }
  const base = planning.options.images.get(name);
  if (base) return { name, base };
  if (base === undefined) planning.need(name);
  else reportMissing(planning, name, span);
  return undefined;
}

export function imageNode(graph: GraphBuilder, { name, base }: NamedImage, span: Span): NodeId {
  const op = { kind: 'source-image', name, image: base.id, chain: base.chain } as const;
  return graph.add(op, { name: `FROM ${name}`, span, slot: 'image' });
}

function reportMissing({ dockerfile, options, report }: Planning, name: string, span: Span): void {
  const wanted = familiar(name);
  const known = [
    ...(options.imageNames ?? []).map(familiar),
    ...dockerfile.stages.flatMap((stage) => stage.name ?? []),
  ];
  const close = nearest(wanted, known) ?? nearest(wanted.replace(/:latest$/, ''), known);
  const sibling = known.find((other) => other.startsWith(`${wanted.replace(/:[^:/]*$/, '')}:`));
  const hint = close ?? sibling;
  const failure = options.missing?.get(name);
  const message = `the base image ${wanted} is not in the store${failure ? `: ${failure.message}` : ''}`;
  const advice = failure?.hint ?? 'load, import or pull it first';
  report(finding('build/base-not-found', span, message, hint ? `did you mean ${hint}?` : advice));
}

function familiar(name: string): string {
  return familiarName(parseReference(name));
}

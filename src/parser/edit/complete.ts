import { SourceText, type Span } from '../../diagnostics/index.ts';
import { type InstructionName, instructionNamed, instructionNames, instructions } from '../instruction-table.ts';
import { surveyFile } from '../lint/survey.ts';
import { MOUNT_OPTIONS, MOUNT_TYPES } from '../lower/mount.ts';
import { type Sentence, scopeBelow, sentenceBefore } from './sentence.ts';

export interface Completion {
  readonly kind: 'instruction' | 'flag' | 'stage' | 'variable' | 'value';
  /** What is written in place of `span`. */
  readonly text: string;
  readonly span: Span;
  /** A form or example, one line. */
  readonly detail?: string;
}

type Candidate = Omit<Completion, 'span'>;

/**
 * What can be written at a place: instructions, flags, stages, mount types and options, variables in scope.
 * Candidates begin with what stands there already. Pure; the text may be unfinished.
 */
export function completeAt(text: string, offset: number): readonly Completion[] {
  const sentence = sentenceBefore(text, offset);
  if (!sentence) return [];
  const { typed, candidates } = candidatesFor(sentence);
  const source = new SourceText('Dockerfile', text);
  const span = source.span(offset - typed.length, offset);
  const begins = (candidate: Candidate) => candidate.text.toLowerCase().startsWith(typed.toLowerCase());
  return candidates.filter(begins).map((candidate) => ({ ...candidate, span }));
}

interface Candidates {
  /** The part of the word that is replaced. */
  readonly typed: string;
  readonly candidates: readonly Candidate[];
}

function candidatesFor(sentence: Sentence): Candidates {
  const words = sentence.text.split(/[ \t]+/);
  const last = words.at(-1)!;
  if (words.length === 1) return { typed: last, candidates: keywords(last) };
  const first = words[0]!.toUpperCase() === 'ONBUILD' ? words[1] : words[0];
  if (words.length === 2 && first !== words[0]) return { typed: last, candidates: keywords(last) };
  const name = instructionNamed(first ?? '');
  if (!name) return { typed: last, candidates: [] };
  const variable = /\$\{?(\w*)$/.exec(last);
  if (variable && instructions[name].expandsVariables) {
    return { typed: variable[1]!, candidates: variables(name, sentence) };
  }
  const skipped = first === words[0] ? 1 : 2;
  const inFlags = words.slice(skipped).every((word) => word.startsWith('--'));
  if (inFlags) return flagCandidates(name, last, sentence);
  if (name === 'FROM')
    return fromCandidates(
      words.filter((word) => !word.startsWith('--')),
      last,
      sentence,
    );
  return { typed: last, candidates: [] };
}

function keywords(typed: string): Candidate[] {
  const lower = typed !== '' && typed === typed.toLowerCase();
  return instructionNames.map((name) => ({
    kind: 'instruction',
    text: lower ? name.toLowerCase() : name,
    detail: instructions[name].form,
  }));
}

function flagCandidates(name: InstructionName, last: string, sentence: Sentence): Candidates {
  if (last.startsWith('--from=')) return { typed: last.slice('--from='.length), candidates: stages(sentence) };
  if (last.startsWith('--mount=')) return mountCandidates(last.slice('--mount='.length), sentence);
  if (last.includes('=')) return { typed: '', candidates: [] };
  const candidates = Object.entries(instructions[name].flags).map(([flag, { type, example }]): Candidate => {
    return { kind: 'flag', text: `--${flag}${type === 'boolean' ? '' : '='}`, detail: example };
  });
  return { typed: last, candidates };
}

function mountCandidates(value: string, sentence: Sentence): Candidates {
  const fields = value.split(',');
  const [key = '', part] = fields.at(-1)!.split('=', 2);
  const values = (texts: readonly string[]) => texts.map((text): Candidate => ({ kind: 'value', text }));
  if (part === undefined) {
    const type = MOUNT_TYPES.find((known) => fields.includes(`type=${known}`)) ?? 'bind';
    const options = Object.entries(MOUNT_OPTIONS).filter(([, { types }]) => types.includes(type));
    return { typed: key, candidates: values(['type=', ...options.map(([name]) => `${name}=`)]) };
  }
  if (key === 'type') return { typed: part, candidates: values(MOUNT_TYPES) };
  if (key === 'from') return { typed: part, candidates: stages(sentence) };
  if (key === 'sharing') return { typed: part, candidates: values(['shared', 'private', 'locked']) };
  return { typed: part, candidates: [] };
}

function fromCandidates(words: readonly string[], last: string, sentence: Sentence): Candidates {
  if (words.length === 2) {
    return {
      typed: last,
      candidates: [{ kind: 'value', text: 'scratch', detail: 'the empty image' }, ...stages(sentence)],
    };
  }
  return { typed: last, candidates: words.length === 3 ? [{ kind: 'value', text: 'AS' }] : [] };
}

function stages({ above }: Sentence): Candidate[] {
  return above.stages.flatMap(({ name, from }): Candidate[] =>
    name === undefined ? [] : [{ kind: 'stage', text: name, detail: `FROM ${from.image.text}` }],
  );
}

function variables(name: InstructionName, { above }: Sentence): Candidate[] {
  const scope = name === 'FROM' ? undefined : scopeBelow(above);
  if (scope) return [...scope.names].map((text) => variable(text, scope.lookup(text)));
  const { globalNames, globals } = surveyFile(above, {});
  return [...globalNames].map((text) => variable(text, globals.get(text)));
}

function variable(text: string, value: string | undefined): Candidate {
  return { kind: 'variable', text, ...(value === undefined ? {} : { detail: value }) };
}

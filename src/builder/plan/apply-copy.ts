import { posix } from 'node:path';
import type { Span } from '../../diagnostics/index.ts';
import { ignorePattern } from '../../parser/index.ts';
import type { AddInstruction, CopyInstruction } from '../../parser/ir.ts';
import { finding } from '../findings.ts';
import type { CopyOp, TreeSource } from './graph.ts';
import { parseModeChange } from './mode-change.ts';
import { addRemote, hideCredentials, isRemote } from './remote-source.ts';
import { type Applying, addLayerStep, type StageState } from './stage-state.ts';

export function applyCopy(applying: Applying<CopyInstruction | AddInstruction>): void {
  const { stage, instruction, words } = applying;
  const { report } = stage.planning;
  const sources = instruction.sources.map((word) => ({ text: words.one(word), span: word.span }));
  const split = splitSources(applying, sources);
  const from = sourceOf(applying);
  const inline = instruction.heredocs.map((heredoc) => ({
    name: heredoc.name,
    content: words.body(lastOfName(instruction, heredoc)),
  }));
  const dest = words.one(instruction.dest);
  const chown = instruction.chown && words.one(instruction.chown);
  const chmod = instruction.chmod && words.one(instruction.chmod);
  if (chmod !== undefined && parseModeChange(chmod) === undefined) {
    const hint = 'write an octal number up to 07777, or u=rwX,go=rX';
    report(finding('build/bad-chmod', instruction.chmod!.span, `invalid --chmod: ${chmod}`, hint));
  }
  for (const { text, span } of instruction.excludes) {
    const { problem } = ignorePattern(text);
    if (problem) report(finding('build/bad-value', span, `invalid --exclude ${text}: ${problem}`));
  }
  if (!from) return;
  const parents = instruction.kind === 'copy' && instruction.parents;
  const op: CopyOp = {
    kind: 'copy',
    parent: stage.head,
    from,
    sources: split.local.map(({ text }) => text),
    remotes: split.remotes,
    inline,
    dest: absoluteDest(stage, dest),
    parents,
    excludes: instruction.excludes.map((word) => word.text),
    unpack: instruction.kind === 'add' && instruction.unpack !== false,
    unpackRemote: instruction.kind === 'add' && instruction.unpack === true,
    link: isLinked(instruction, chown),
    ...(chown ? { chown } : {}),
    ...(chmod ? { chmod } : {}),
  };
  const flags = [
    ...(parents ? ['--parents'] : []),
    ...(chown ? [`--chown=${chown}`] : []),
    ...(chmod ? [`--chmod=${chmod}`] : []),
  ];
  const shownSources = [...sources.map(({ text }) => hideCredentials(text)), ...inline.map(({ name }) => `<<${name}`)];
  const shown = [instruction.kind.toUpperCase(), ...flags, ...shownSources, dest].join(' ');
  addLayerStep(applying, op, shown, { sourceSpans: split.local.map(({ span }) => span) });
}

interface ExpandedSource {
  readonly text: string;
  readonly span: Span;
}

/** What lies in the tree that is copied from, and what ADD fetches. */
function splitSources(
  applying: Applying<CopyInstruction | AddInstruction>,
  sources: readonly ExpandedSource[],
): { readonly local: readonly ExpandedSource[]; readonly remotes: CopyOp['remotes'] } {
  const { stage, instruction } = applying;
  const { report } = stage.planning;
  const local: ExpandedSource[] = [];
  const remotes: CopyOp['remotes'][number][] = [];
  for (const source of sources) {
    if (!isRemote(source.text)) local.push(source);
    else if (instruction.kind === 'copy') {
      report(finding('build/bad-value', source.span, 'COPY cannot read a URL or a git repository', 'ADD can'));
    } else {
      const remote = addRemote(applying as Applying<AddInstruction>, source);
      if (remote) remotes.push({ ...remote, before: local.length });
    }
  }
  if (instruction.kind === 'add' && instruction.checksum) {
    const { span } = instruction.checksum;
    if (!sources.some(({ text }) => isRemote(text)))
      report(finding('build/bad-value', span, '--checksum needs a URL or a git repository as the source'));
    else if (sources.length > 1)
      report(finding('build/bad-value', span, '--checksum is for one source', 'write an ADD for each source'));
  }
  return { local, remotes };
}

/**
 * With `--chmod` the reference copies onto the image in spite of `--link`, and images rely on it (a destination below
 * a symlink). Names of owners are in the image's own accounts.
 */
function isLinked({ link, chmod }: CopyInstruction | AddInstruction, chown: string | undefined): boolean {
  return link && chmod === undefined && /^(\d+(:\d+)?)?$/.test(chown ?? '');
}

/** Two bodies of one name: both files take the last. @see BuildKit, lookup of heredocs by name */
function lastOfName<T extends { readonly name: string }>(
  { heredocs }: { readonly heredocs: readonly T[] },
  { name }: T,
): T {
  return heredocs.findLast((heredoc) => heredoc.name === name)!;
}

function sourceOf({ stage, instruction }: Applying<CopyInstruction | AddInstruction>): TreeSource | undefined {
  if (instruction.kind !== 'copy' || !instruction.from) return { kind: 'context' };
  return stage.planning.source(instruction.from, stage.index);
}

/** Relative to WORKDIR; what names a directory keeps or gets its `/`. */
function absoluteDest(stage: StageState, dest: string): string {
  const path = posix.normalize(posix.resolve(stage.config.WorkingDir || '/', dest));
  const isDirectory = dest === '' || /(?:^|\/)\.{0,2}$/.test(dest);
  return isDirectory && path !== '/' ? `${path}/` : path;
}

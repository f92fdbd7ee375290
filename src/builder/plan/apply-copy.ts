import { posix } from 'node:path';
import { ignorePattern } from '../../parser/index.ts';
import type { AddInstruction, CopyInstruction } from '../../parser/ir.ts';
import { finding } from '../findings.ts';
import type { CopyOp, TreeSource } from './graph.ts';
import { parseModeChange } from './mode-change.ts';
import { type Applying, addLayerStep, type StageState } from './stage-state.ts';

const URL = /^(?:https?|git|ssh|ftp):\/\//i;
const GIT_SSH = /^[\w.-]+@[\w.-]+:[^/]/;

export function applyCopy(applying: Applying<CopyInstruction | AddInstruction>): void {
  const { stage, instruction, words } = applying;
  const { report } = stage.planning;
  const keyword = instruction.kind.toUpperCase();
  const sources = instruction.sources.map((word) => words.one(word));
  sources.forEach((source, index) => {
    const span = instruction.sources[index]!.span;
    if (!URL.test(source) && !GIT_SSH.test(source)) return;
    if (instruction.kind === 'copy') {
      report(finding('build/bad-value', span, 'COPY cannot read a URL or a git repository', 'ADD can'));
    } else report(finding('build/not-supported-yet', span, 'ADD of a URL or a git repository is not supported yet'));
  });
  if (
    instruction.kind === 'add' &&
    instruction.checksum &&
    sources.every((source) => !URL.test(source) && !GIT_SSH.test(source))
  ) {
    report(
      finding('build/bad-value', instruction.checksum.span, '--checksum needs a URL or a git repository as the source'),
    );
  }
  const from = sourceOf(applying);
  const inline = instruction.heredocs.map((heredoc) => ({
    name: heredoc.name,
    content: words.body(lastOfName(instruction, heredoc)),
  }));
  const dest = words.one(instruction.dest);
  const chown = instruction.chown && words.one(instruction.chown);
  const chmod = instruction.chmod && words.one(instruction.chmod);
  if (chmod !== undefined && parseModeChange(chmod) === undefined) {
    report(
      finding(
        'build/bad-chmod',
        instruction.chmod!.span,
        `invalid --chmod: ${chmod}`,
        'write an octal number up to 07777, or u=rwX,go=rX',
      ),
    );
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
    sources,
    inline,
    dest: absoluteDest(stage, dest),
    parents,
    excludes: instruction.excludes.map((word) => word.text),
    unpack: instruction.kind === 'add' && instruction.unpack !== false,
    ...(chown ? { chown } : {}),
    ...(chmod ? { chmod } : {}),
  };
  const flags = [
    ...(parents ? ['--parents'] : []),
    ...(chown ? [`--chown=${chown}`] : []),
    ...(chmod ? [`--chmod=${chmod}`] : []),
  ];
  const shown = [keyword, ...flags, ...sources, ...inline.map(({ name }) => `<<${name}`), dest].join(' ');
  addLayerStep(applying, op, shown, { sourceSpans: instruction.sources.map((word) => word.span) });
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

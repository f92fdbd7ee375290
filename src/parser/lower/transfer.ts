import type { InstructionNode } from '../instruction-node.ts';
import type { Word } from '../ir.ts';
import { plain, readStrings, warnAboutJson } from './command.ts';
import { common, type Lower, type LowerContext, optional, reportMissing } from './context.ts';
import { textOf } from './lists.ts';

export const lowerCopy: Lower = (node, context) => {
  const { flags, report } = context;
  const from = flags.word('from');
  if (from?.text.includes('$')) report('dockerfile/variable-in-from', from.span, { name: '--from' });
  const transfer = readTransfer(node, context);
  if (!transfer) return null;
  return { ...transfer, kind: 'copy', ...optional('from', from), parents: flags.boolean('parents') ?? false };
};

export const lowerAdd: Lower = (node, context) => {
  const { flags } = context;
  const transfer = readTransfer(node, context);
  if (!transfer) return null;
  return {
    ...transfer,
    kind: 'add',
    ...optional('checksum', flags.word('checksum')),
    keepGitDir: flags.boolean('keep-git-dir') ?? false,
    ...optional('unpack', flags.boolean('unpack')),
  };
};

/** Heredoc sources are not among `sources`: their bodies are in `heredocs`, and come after the paths. */
function readTransfer(node: InstructionNode, context: LowerContext) {
  const { flags, report, name } = context;
  if (node.json && !readStrings(node, context)) return null;
  const dest = node.args.at(-1);
  if (!dest || node.args.length < 2) return reportMissing(node, context);
  if (!node.json) {
    warnAboutJson(textOf(node.args), context);
    for (const { text, span } of node.args) {
      if (/^--[a-z]+(-[a-z]+)*=/.test(text)) report('dockerfile/late-flag', span, { value: text, instruction: name });
    }
  }
  if (dest.token === 'heredoc') {
    report('dockerfile/heredoc-destination', dest.span, { instruction: name, name: node.heredocs.at(-1)?.name ?? '' });
    return null;
  }
  const sources: Word[] = node.args
    .slice(0, -1)
    .filter(({ token }) => token !== 'heredoc')
    .map(plain);
  return {
    ...common(node),
    sources,
    dest: plain(dest),
    ...optional('chown', flags.word('chown')),
    ...optional('chmod', flags.word('chmod')),
    link: flags.boolean('link') ?? false,
    excludes: flags.words('exclude'),
  };
}

import type { CstElement, CstNode, IToken } from 'chevrotain';
import type { Span } from '../diagnostics/index.ts';
import { type InstructionName, instructionNamed, instructions } from './instruction-table.ts';
import type { Heredoc, Word } from './ir.ts';
import { decodeFlag, type Flag } from './lex/flag.ts';
import type { LogicalText } from './lex/logical-text.ts';

/** One argument as the grammar found it. */
export interface Argument extends Word {
  readonly token: 'word' | 'as' | 'heredoc' | 'string' | 'value' | 'text' | 'legacy-key' | 'legacy-value';
  /** Offset in the instruction's joined text. */
  readonly offset: number;
}

/** An instruction read for form, not yet for meaning: the data that `lower/` works on. */
export interface InstructionNode {
  readonly name: InstructionName | undefined;
  readonly keyword: Word;
  readonly flags: readonly Flag[];
  readonly args: readonly Argument[];
  /** The arguments are a JSON array. */
  readonly json: boolean;
  /** NONE, CMD, … of HEALTHCHECK. */
  readonly type?: Word;
  /** What ONBUILD holds. */
  readonly trigger?: InstructionNode;
  readonly logical: LogicalText;
  /** Offset in the joined text: 0, or where the trigger begins. */
  readonly offset: number;
  readonly comments: readonly string[];
  /** Blank lines inside the continuation. */
  readonly emptyLines: readonly Span[];
  readonly heredocs: readonly Heredoc[];
  /** End of the last line that belongs to the instruction, heredocs included. */
  readonly endOffset: number;
}

const TOKEN_KINDS: Readonly<Record<string, Argument['token']>> = {
  PlainWord: 'word',
  QuotedWord: 'word',
  As: 'as',
  HeredocMarker: 'heredoc',
  JsonString: 'string',
  JsonValue: 'value',
  Text: 'text',
  LegacyKey: 'legacy-key',
  LegacyValue: 'legacy-value',
};

/** What the reader of lines knows about an instruction. */
export type NodeContext = Pick<InstructionNode, 'logical' | 'comments' | 'emptyLines' | 'heredocs' | 'endOffset'>;

/** Turns the concrete syntax tree of one instruction into data. */
export function readInstructionNode(cst: CstNode, context: NodeContext): InstructionNode {
  const outer = ruleIn(cst, 'onbuildInstruction');
  if (!outer) return readSimple(ruleIn(cst, 'simpleInstruction')!, context);
  const inner = ruleIn(outer, 'simpleInstruction');
  const node = readRule(outer, context);
  return inner ? { ...node, trigger: readSimple(inner, { ...context, comments: [], emptyLines: [] }) } : node;
}

/** True where `<<NAME` starts a heredoc: in RUN, COPY and ADD, also as triggers, unless the form is JSON. */
export function canHoldHeredocs(node: InstructionNode): boolean {
  const target = node.trigger ?? node;
  return target.name !== undefined && !target.json && instructions[target.name].heredocs;
}

function readSimple(cst: CstNode, context: NodeContext): InstructionNode {
  const [rule] = Object.keys(cst.children).flatMap((name) => rulesIn(cst, name));
  return readRule(rule!, context);
}

function readRule(cst: CstNode, context: NodeContext): InstructionNode {
  const { logical } = context;
  const keyword = tokensIn(cst, 'keyword')[0]!;
  const command = ruleIn(cst, 'command');
  const json = ruleIn(command ?? cst, 'jsonArray');
  const type = tokensIn(cst, 'HealthType')[0];
  const elements = json ? rulesIn(json, 'jsonElement') : [command ?? cst];
  const args = [
    ...tokensIn(cst, 'LegacyKey'),
    ...tokensIn(cst, 'LegacyValue'),
    ...elements.flatMap((element) => tokensIn(element, 'argument')),
  ];
  const flags = ruleIn(cst, 'flags');
  return {
    ...context,
    name: instructionNamed(keyword.image),
    keyword: wordOf(keyword, logical),
    flags: (flags ? tokensIn(flags, 'Flag') : []).map((token) =>
      decodeFlag(logical, token.startOffset, token.startOffset + token.image.length),
    ),
    args: args.map((token) => argumentOf(token, logical)),
    json: json !== undefined,
    offset: keyword.startOffset,
    ...(type ? { type: wordOf(type, logical) } : {}),
  };
}

function argumentOf(token: IToken, logical: LogicalText): Argument {
  const kind = TOKEN_KINDS[token.tokenType.name]!;
  const text = kind === 'string' ? (JSON.parse(token.image) as string) : token.image;
  const { startOffset: offset, image } = token;
  return { token: kind, offset, text, span: logical.span(offset, offset + image.length) };
}

function wordOf(token: IToken, logical: LogicalText): Word {
  return logical.word(token.startOffset, token.startOffset + token.image.length);
}

const isToken = (element: CstElement): element is IToken => 'image' in element;

function tokensIn(cst: CstNode, label: string): IToken[] {
  return (cst.children[label] ?? []).filter(isToken);
}

function rulesIn(cst: CstNode, rule: string): CstNode[] {
  return (cst.children[rule] ?? []).filter((element): element is CstNode => !isToken(element));
}

function ruleIn(cst: CstNode, rule: string): CstNode | undefined {
  return rulesIn(cst, rule)[0];
}

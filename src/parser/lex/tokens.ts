import { createToken, type IToken, Lexer, type TokenType } from 'chevrotain';
import { type InstructionSyntax, instructionNames, instructions } from '../instruction-table.ts';
import { isBlank, isSpace, skipSpaces, trimmedEnd } from '../words/characters.ts';
import { quotedWordEnd } from '../words/quoted-word.ts';
import type { EscapeToken } from '../words/shell-lex.ts';
import { flagEnd } from './flag.ts';
import { isJsonArray, jsonStringEnd, jsonValueEnd } from './json-array.ts';

/** What the token patterns must know besides the text; set before each instruction. */
export interface LexContext {
  escape: EscapeToken;
  /** Heredoc markers of the text: start offset to end offset. */
  heredocs: ReadonlyMap<number, number>;
}

type Scan = (text: string, offset: number, tokens: readonly IToken[]) => number;

/** A token whose text is found by a function that returns the end offset, or a value <= offset for no match. */
function scanned(
  name: string,
  scan: Scan,
  extra: { push_mode?: string; pop_mode?: boolean; group?: string } = {},
): TokenType {
  return createToken({
    name,
    line_breaks: true,
    pattern: {
      exec: (text: string, offset: number, tokens: IToken[]) => {
        const end = scan(text, offset, tokens);
        return end > offset ? ([text.slice(offset, end)] as unknown as RegExpExecArray) : null;
      },
    },
    ...extra,
  });
}

export type Vocabulary = ReturnType<typeof createVocabulary>;

/** All token types. Patterns read `context`, because the escape character and heredocs differ from file to file. */
export function createVocabulary(context: LexContext) {
  /** Tokens after which flags, and after which arguments may begin. */
  const beforeFlags = new Set<TokenType>();
  const beforeArguments = new Set<TokenType>();
  const lastIn = (tokens: readonly IToken[], types: ReadonlySet<TokenType>) => {
    const last = tokens.at(-1);
    return last !== undefined && types.has(last.tokenType);
  };
  const atArguments = (tokens: readonly IToken[]) => lastIn(tokens, beforeArguments);
  const wordEnd: Scan = (text, offset) => {
    let at = offset;
    while (at < text.length && !isBlank(text[at])) at++;
    return at;
  };
  const restEnd: Scan = (text) => trimmedEnd(text);
  const atFlags: Scan = (text, offset, tokens) => (lastIn(tokens, beforeFlags) ? flagEnd(text, offset) : -1);

  const Blank = scanned('Blank', (text, offset) => skipSpaces(text, offset), { group: Lexer.SKIPPED });
  const FlagsEnd = scanned('FlagsEnd', (text, offset, tokens) => {
    const end = atFlags(text, offset, tokens);
    return end === offset + 2 ? end : -1;
  });
  const Flag = scanned('Flag', atFlags);
  const JsonOpen = scanned(
    'JsonOpen',
    (text, offset, tokens) =>
      text[offset] === '[' && atArguments(tokens) && isJsonArray(text.slice(offset, trimmedEnd(text)))
        ? offset + 1
        : -1,
    { push_mode: 'json' },
  );
  const JsonClose = scanned('JsonClose', (text, offset) => (text[offset] === ']' ? offset + 1 : -1), {
    pop_mode: true,
  });
  const Comma = scanned('Comma', (text, offset) => (text[offset] === ',' ? offset + 1 : -1));
  const JsonString = scanned('JsonString', (text, offset) => (text[offset] === '"' ? jsonStringEnd(text, offset) : -1));
  const JsonValue = scanned('JsonValue', (text, offset) => jsonValueEnd(text, offset));

  const Text = scanned('Text', restEnd);
  const PlainWord = scanned('PlainWord', wordEnd);
  const HeredocMarker = scanned('HeredocMarker', (_, offset) => context.heredocs.get(offset) ?? -1);
  const QuotedWord = scanned('QuotedWord', (text, offset) => quotedWordEnd(text, offset, context.escape));
  const As: TokenType = scanned('As', (text, offset, tokens) => {
    const end = wordEnd(text, offset, tokens);
    const [before, last] = tokens.slice(-2).map((token) => token.tokenType);
    const second = last === PlainWord && before !== PlainWord && before !== As;
    return second && text.slice(offset, end).toUpperCase() === 'AS' ? end : -1;
  });
  /** `ENV name rest of line`: the first word has no `=`, so everything after it is the value. */
  const LegacyKey = scanned('LegacyKey', (text, offset, tokens) => {
    if (!atArguments(tokens)) return -1;
    const word = text.slice(offset, quotedWordEnd(text, offset, context.escape));
    return word.includes('=') ? -1 : wordEnd(text, offset, tokens);
  });
  const LegacyValue = scanned('LegacyValue', (text, offset, tokens) =>
    tokens.at(-1)?.tokenType === LegacyKey ? restEnd(text, offset, tokens) : -1,
  );
  const HealthType = scanned(
    'HealthType',
    (text, offset) => {
      let at = offset;
      while (at < text.length && !isSpace(text[at]!)) at++;
      return at;
    },
    { push_mode: 'command' },
  );

  /** One abstract token per syntax; the grammar consumes these, so a new instruction is a row in the table. */
  const category = (name: string) => createToken({ name, pattern: Lexer.NA });
  const keywordOf: Record<InstructionSyntax, TokenType> = {
    command: category('CommandKeyword'),
    list: category('ListKeyword'),
    words: category('WordsKeyword'),
    from: category('FromKeyword'),
    pairs: category('PairsKeyword'),
    names: category('NamesKeyword'),
    text: category('TextKeyword'),
    healthcheck: category('HealthcheckKeyword'),
    onbuild: category('OnbuildKeyword'),
  };
  const keywords = instructionNames.map((name) =>
    createToken({
      name,
      pattern: new RegExp(`${name}(?![^\\t\\v\\f\\r ])`, 'i'),
      categories: keywordOf[instructions[name].syntax],
      push_mode: instructions[name].syntax,
    }),
  );
  const UnknownKeyword = createToken({ name: 'UnknownKeyword', pattern: /[^\t\v\f\r ]+/, push_mode: 'unknown' });
  /** ONBUILD inside ONBUILD is refused; its text is not looked into, so that nesting costs no stack. */
  const ChainedOnbuild = createToken({
    name: 'ChainedOnbuild',
    pattern: /ONBUILD(?![^\t\v\f\r ])/i,
    push_mode: 'unknown',
  });

  for (const token of [...keywords, UnknownKeyword, ChainedOnbuild, Flag]) beforeFlags.add(token);
  for (const token of [...beforeFlags, FlagsEnd, HealthType]) beforeArguments.add(token);
  return {
    keywords,
    keywordOf,
    UnknownKeyword,
    ChainedOnbuild,
    Blank,
    Flag,
    FlagsEnd,
    JsonOpen,
    JsonClose,
    Comma,
    JsonString,
    JsonValue,
    Text,
    PlainWord,
    HeredocMarker,
    QuotedWord,
    As,
    LegacyKey,
    LegacyValue,
    HealthType,
  };
}

import { type IToken, Lexer, type TokenType } from 'chevrotain';
import type { EscapeToken } from '../words/shell-lex.ts';
import type { HeredocMarker } from './heredoc.ts';
import { createVocabulary, type LexContext, type Vocabulary } from './tokens.ts';

/**
 * Lexer modes. An instruction starts in `instruction`; its keyword pushes the mode of its syntax
 * (see `grammar/dockerfile/instructions.json`), where flags come first and the arguments after them.
 */
function modesOf(words: Vocabulary): Record<string, TokenType[]> {
  const { Blank, FlagsEnd, Flag, JsonOpen, Text, PlainWord, QuotedWord, keywords, UnknownKeyword } = words;
  const onbuild = words.keywordOf.onbuild;
  const isOnbuild = (token: TokenType) => token.CATEGORIES?.includes(onbuild) ?? false;
  const start = [Blank, FlagsEnd, Flag];
  return {
    instruction: [Blank, ...keywords, UnknownKeyword],
    command: [...start, JsonOpen, Text],
    list: [...start, JsonOpen, words.HeredocMarker, PlainWord],
    words: [...start, PlainWord],
    from: [...start, words.As, PlainWord],
    pairs: [...start, words.LegacyKey, words.LegacyValue, QuotedWord],
    names: [...start, QuotedWord],
    text: [...start, Text],
    healthcheck: [...start, words.HealthType],
    onbuild: [...start, ...keywords.filter((token) => !isOnbuild(token)), words.ChainedOnbuild, UnknownKeyword],
    unknown: [...start, Text],
    json: [Blank, words.Comma, words.JsonClose, words.JsonString, words.JsonValue],
  };
}

export interface InstructionLexer {
  readonly vocabulary: Vocabulary;
  /** Tokens of one instruction's joined text. Total: every text lexes. */
  tokenize(text: string, escapeToken: EscapeToken, heredocs: readonly HeredocMarker[]): IToken[];
}

const NONE: ReadonlyMap<number, number> = new Map();

/** Builds the lexer; costs some milliseconds, so it is made once and only when a text is parsed. */
export function createInstructionLexer(validate = false): InstructionLexer {
  const context: LexContext = { escape: '\\', heredocs: NONE };
  const vocabulary = createVocabulary(context);
  const modes = modesOf(vocabulary);
  const lexer = new Lexer(
    { modes, defaultMode: 'instruction' },
    { positionTracking: 'onlyOffset', skipValidations: !validate, safeMode: true },
  );
  return {
    vocabulary,
    tokenize(text, escapeToken, heredocs) {
      context.escape = escapeToken;
      context.heredocs = heredocs.length === 0 ? NONE : new Map(heredocs.map(({ start, end }) => [start, end]));
      const { tokens, errors } = lexer.tokenize(text);
      if (errors.length > 0) throw new Error(`the Dockerfile lexer has a gap: ${errors[0]!.message}`);
      return tokens;
    },
  };
}

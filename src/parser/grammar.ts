import { type CstNode, CstParser, type IToken } from 'chevrotain';
import type { Vocabulary } from './lex/tokens.ts';

/**
 * The grammar of one instruction. It accepts every token sequence that the lexer can produce: what is wrong
 * with a sentence is said by `lower/`, which knows what the author meant. `grammar/dockerfile/dockerfile.ebnf`
 * is the same grammar for people; a test compares the rule names.
 */
export class InstructionParser extends CstParser {
  readonly #words: Vocabulary;

  constructor(words: Vocabulary, validate = false) {
    super([...words.keywords, ...Object.values(words.keywordOf), ...tokensOf(words)], {
      maxLookahead: 1,
      nodeLocationTracking: 'none',
      recoveryEnabled: false,
      skipValidations: !validate,
    });
    this.#words = words;
    this.performSelfAnalysis();
  }

  parse(tokens: IToken[]): CstNode {
    this.input = tokens;
    const node = this.instruction();
    if (this.errors.length > 0) throw new Error(`the Dockerfile grammar has a gap: ${this.errors[0]!.message}`);
    return node;
  }

  readonly instruction = this.RULE('instruction', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.simpleInstruction) },
      { ALT: () => this.SUBRULE(this.onbuildInstruction) },
    ]);
  });

  /** Every instruction but ONBUILD: what a trigger may be, as far as form goes. */
  readonly simpleInstruction = this.RULE('simpleInstruction', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.commandInstruction) },
      { ALT: () => this.SUBRULE(this.listInstruction) },
      { ALT: () => this.SUBRULE(this.wordsInstruction) },
      { ALT: () => this.SUBRULE(this.fromInstruction) },
      { ALT: () => this.SUBRULE(this.pairsInstruction) },
      { ALT: () => this.SUBRULE(this.namesInstruction) },
      { ALT: () => this.SUBRULE(this.textInstruction) },
      { ALT: () => this.SUBRULE(this.healthcheckInstruction) },
      { ALT: () => this.SUBRULE(this.unknownInstruction) },
    ]);
  });

  readonly onbuildInstruction = this.RULE('onbuildInstruction', () => {
    this.CONSUME(this.#words.keywordOf.onbuild, { LABEL: 'keyword' });
    this.SUBRULE(this.flags);
    this.OPTION(() => this.SUBRULE(this.simpleInstruction));
  });

  readonly commandInstruction = this.RULE('commandInstruction', () => {
    this.CONSUME(this.#words.keywordOf.command, { LABEL: 'keyword' });
    this.SUBRULE(this.flags);
    this.SUBRULE(this.command);
  });

  readonly listInstruction = this.RULE('listInstruction', () => {
    this.CONSUME(this.#words.keywordOf.list, { LABEL: 'keyword' });
    this.SUBRULE(this.flags);
    this.OR([
      { ALT: () => this.SUBRULE(this.jsonArray) },
      {
        ALT: () =>
          this.MANY(() =>
            this.OR1([
              { ALT: () => this.CONSUME(this.#words.HeredocMarker, { LABEL: 'argument' }) },
              { ALT: () => this.CONSUME(this.#words.PlainWord, { LABEL: 'argument' }) },
            ]),
          ),
      },
    ]);
  });

  readonly wordsInstruction = this.RULE('wordsInstruction', () => {
    this.CONSUME(this.#words.keywordOf.words, { LABEL: 'keyword' });
    this.SUBRULE(this.flags);
    this.MANY(() => this.CONSUME(this.#words.PlainWord, { LABEL: 'argument' }));
  });

  readonly fromInstruction = this.RULE('fromInstruction', () => {
    this.CONSUME(this.#words.keywordOf.from, { LABEL: 'keyword' });
    this.SUBRULE(this.flags);
    this.MANY(() =>
      this.OR([
        { ALT: () => this.CONSUME(this.#words.As, { LABEL: 'argument' }) },
        { ALT: () => this.CONSUME(this.#words.PlainWord, { LABEL: 'argument' }) },
      ]),
    );
  });

  readonly pairsInstruction = this.RULE('pairsInstruction', () => {
    this.CONSUME(this.#words.keywordOf.pairs, { LABEL: 'keyword' });
    this.SUBRULE(this.flags);
    this.OR([
      {
        ALT: () => {
          this.CONSUME(this.#words.LegacyKey);
          this.OPTION(() => this.CONSUME(this.#words.LegacyValue));
        },
      },
      { ALT: () => this.MANY(() => this.CONSUME(this.#words.QuotedWord, { LABEL: 'argument' })) },
    ]);
  });

  readonly namesInstruction = this.RULE('namesInstruction', () => {
    this.CONSUME(this.#words.keywordOf.names, { LABEL: 'keyword' });
    this.SUBRULE(this.flags);
    this.MANY(() => this.CONSUME(this.#words.QuotedWord, { LABEL: 'argument' }));
  });

  readonly textInstruction = this.RULE('textInstruction', () => {
    this.CONSUME(this.#words.keywordOf.text, { LABEL: 'keyword' });
    this.SUBRULE(this.flags);
    this.OPTION(() => this.CONSUME(this.#words.Text, { LABEL: 'argument' }));
  });

  readonly healthcheckInstruction = this.RULE('healthcheckInstruction', () => {
    this.CONSUME(this.#words.keywordOf.healthcheck, { LABEL: 'keyword' });
    this.SUBRULE(this.flags);
    this.OPTION(() => {
      this.CONSUME(this.#words.HealthType);
      this.SUBRULE(this.command);
    });
  });

  readonly unknownInstruction = this.RULE('unknownInstruction', () => {
    this.OR([
      { ALT: () => this.CONSUME(this.#words.UnknownKeyword, { LABEL: 'keyword' }) },
      { ALT: () => this.CONSUME(this.#words.ChainedOnbuild, { LABEL: 'keyword' }) },
    ]);
    this.SUBRULE(this.flags);
    this.OPTION(() => this.CONSUME(this.#words.Text, { LABEL: 'argument' }));
  });

  readonly command = this.RULE('command', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.jsonArray) },
      { ALT: () => this.OPTION(() => this.CONSUME(this.#words.Text, { LABEL: 'argument' })) },
    ]);
  });

  readonly jsonArray = this.RULE('jsonArray', () => {
    this.CONSUME(this.#words.JsonOpen);
    this.MANY_SEP({ SEP: this.#words.Comma, DEF: () => this.SUBRULE(this.jsonElement) });
    this.CONSUME(this.#words.JsonClose);
  });

  readonly jsonElement = this.RULE('jsonElement', () => {
    this.OR([
      { ALT: () => this.CONSUME(this.#words.JsonString, { LABEL: 'argument' }) },
      { ALT: () => this.CONSUME(this.#words.JsonValue, { LABEL: 'argument' }) },
    ]);
  });

  readonly flags = this.RULE('flags', () => {
    this.MANY(() => this.CONSUME(this.#words.Flag));
    this.OPTION(() => this.CONSUME(this.#words.FlagsEnd));
  });
}

function tokensOf(words: Vocabulary) {
  const { keywords: _keywords, keywordOf: _keywordOf, ...tokens } = words;
  return Object.values(tokens);
}

import type { Command, Node, Operand, Pipeline } from './ast.ts';
import { templateError } from './error.ts';
import { lexTemplate, type Token } from './lex.ts';
import { readNumber, readString } from './literals.ts';

const UNSUPPORTED = new Set(['define', 'template', 'block']);
type Terminator = 'end' | 'else' | undefined;

/** Parses a Go text/template. @throws BerthError `invalid` with line and column */
export function parseTemplate(source: string): readonly Node[] {
  const parser = new Parser(source);
  const { nodes, terminator, offset } = parser.list(0);
  if (terminator) throw templateError(source, offset, `{{${terminator}}} without a block to close`);
  return nodes;
}

interface List {
  readonly nodes: readonly Node[];
  readonly terminator: Terminator;
  readonly offset: number;
}

class Parser {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = lexTemplate(source);
  }

  /** Nodes up to the end, `{{end}}` or `{{else`. After `else` the parser stands behind the word. */
  list(rangeDepth: number): List {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.#next();
      if (!token) return { nodes, terminator: undefined, offset: this.#source.length };
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text });
        continue;
      }
      const word = this.#peek()?.kind === 'word' ? this.#peek()!.text : '';
      const { offset } = this.#peek() ?? token;
      if (word === 'end' || word === 'else') {
        this.#at++;
        if (word === 'end') this.#close();
        return { nodes, terminator: word, offset };
      }
      nodes.push(this.#action(word, offset, rangeDepth));
    }
  }

  #action(word: string, offset: number, rangeDepth: number): Node {
    if (UNSUPPORTED.has(word)) throw templateError(this.#source, offset, `{{${word}}} is not supported`);
    if (word === 'if' || word === 'with' || word === 'range') {
      this.#at++;
      return this.#block(word, offset, rangeDepth);
    }
    if (word === 'break' || word === 'continue') {
      if (rangeDepth === 0) throw templateError(this.#source, offset, `{{${word}}} outside of {{range}}`);
      this.#at++;
      this.#close();
      return { kind: word };
    }
    const pipeline = this.#pipeline(1);
    this.#close();
    return { kind: 'action', pipeline };
  }

  #block(kind: 'if' | 'with' | 'range', offset: number, rangeDepth: number): Node {
    const pipeline = this.#pipeline(kind === 'range' ? 2 : 1);
    this.#close();
    const body = this.list(kind === 'range' ? rangeDepth + 1 : rangeDepth);
    if (!body.terminator) throw templateError(this.#source, offset, `{{${kind}}} is not closed`, 'add {{end}}');
    if (body.terminator === 'end') return { kind, pipeline, body: body.nodes, otherwise: [] };
    return { kind, pipeline, body: body.nodes, otherwise: this.#otherwise(kind, offset, rangeDepth) };
  }

  #otherwise(kind: 'if' | 'with' | 'range', offset: number, rangeDepth: number): readonly Node[] {
    const next = this.#peek();
    if (next?.kind === 'word' && next.text === kind && kind !== 'range') {
      this.#at++;
      return [this.#block(kind, next.offset, rangeDepth)];
    }
    this.#close();
    const list = this.list(rangeDepth);
    if (list.terminator === 'end') return list.nodes;
    const where = list.terminator ? list.offset : offset;
    throw templateError(
      this.#source,
      where,
      list.terminator ? 'a second {{else}}' : `{{${kind}}} is not closed`,
      'add {{end}}',
    );
  }

  #pipeline(maxVariables: number): Pipeline {
    const offset = this.#peek()?.offset ?? this.#source.length;
    const declared = this.#declaration(maxVariables);
    const commands: Command[] = [this.#command()];
    while (this.#symbol('|')) {
      const command = this.#command();
      const first = command.operands[0]!;
      if (first.kind === 'literal' || (first.kind === 'dot' && first.fields.length === 0)) {
        throw templateError(
          this.#source,
          command.offset,
          'a value cannot take what is piped into it',
          'pipe into a function',
        );
      }
      commands.push(command);
    }
    return { offset, ...declared, commands };
  }

  #declaration(maxVariables: number): Pick<Pipeline, 'variables' | 'assigns'> {
    const start = this.#at;
    const variables: string[] = [];
    for (;;) {
      const token = this.#peek();
      if (token?.kind !== 'variable') break;
      variables.push(token.text);
      this.#at++;
      if (variables.length >= maxVariables || !this.#symbol(',')) break;
    }
    if (variables.length > 0 && this.#symbol(':=')) return { variables, assigns: false };
    if (variables.length > 0 && this.#symbol('=')) return { variables, assigns: true };
    this.#at = start;
    return { variables: [], assigns: false };
  }

  #command(): Command {
    const offset = this.#peek()?.offset ?? this.#source.length;
    const operands: Operand[] = [];
    for (;;) {
      const token = this.#peek();
      const ends = !token || token.kind === 'close' || (token.kind === 'symbol' && /^[|)]$/.test(token.text));
      if (ends) break;
      operands.push(this.#operand(token));
    }
    const [first, ...rest] = operands;
    if (!first) throw templateError(this.#source, offset, 'a value is missing');
    const callable = first.kind === 'function' || first.fields.length > 0;
    if (rest.length > 0 && !callable) {
      throw templateError(this.#source, rest[0]!.offset, 'only a function takes arguments');
    }
    return { offset, operands };
  }

  #operand(token: Token): Operand {
    this.#at++;
    const { offset, text } = token;
    const chained = <T extends object>(base: T) => ({ ...base, offset, fields: this.#fields(offset + text.length) });
    if (token.kind === 'field') {
      return { kind: 'dot', offset, fields: [text.slice(1), ...this.#fields(offset + text.length)] };
    }
    if (token.kind === 'variable') return chained({ kind: 'variable', name: text });
    if (token.kind === 'string') return { kind: 'literal', offset, fields: [], value: readString(this.#source, token) };
    if (token.kind === 'number') return { kind: 'literal', offset, fields: [], value: readNumber(this.#source, token) };
    if (token.kind === 'word') return this.#word(token);
    if (text === '.') return { kind: 'dot', offset, fields: [] };
    if (text !== '(') throw templateError(this.#source, offset, `unexpected ${JSON.stringify(text)}`);
    const pipeline = this.#pipeline(0);
    const close = this.#peek();
    if (!this.#symbol(')')) throw templateError(this.#source, offset, 'the parenthesis is not closed', 'add )');
    return { kind: 'group', pipeline, offset, fields: this.#fields(close!.offset + 1) };
  }

  #word({ text, offset }: Token): Operand {
    if (text === 'true' || text === 'false') return { kind: 'literal', offset, fields: [], value: text === 'true' };
    if (text === 'nil') return { kind: 'literal', offset, fields: [], value: null };
    return { kind: 'function', name: text, offset, fields: this.#fields(offset + text.length) };
  }

  /** `.A.B` directly behind something: a space in between would make it the next argument. */
  #fields(end: number): string[] {
    const fields: string[] = [];
    let expected = end;
    for (let token = this.#peek(); token?.kind === 'field' && token.offset === expected; token = this.#peek()) {
      fields.push(token.text.slice(1));
      expected += token.text.length;
      this.#at++;
    }
    return fields;
  }

  #symbol(text: string): boolean {
    const token = this.#peek();
    if (token?.kind !== 'symbol' || token.text !== text) return false;
    this.#at++;
    return true;
  }

  #close(): void {
    const token = this.#next();
    if (token?.kind === 'close') return;
    throw templateError(
      this.#source,
      token?.offset ?? this.#source.length,
      `unexpected ${JSON.stringify(token?.text ?? 'end')}`,
    );
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #next(): Token | undefined {
    return this.#tokens[this.#at++];
  }
}

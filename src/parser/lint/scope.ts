import type { ImageConfig } from '../../oci/index.ts';
import type { ArgInstruction, Instruction, Word } from '../ir.ts';
import { parseInstruction } from '../parse-instruction.ts';
import { type Expansion, expandWord } from '../words/expand.ts';
import type { EscapeToken } from '../words/shell-lex.ts';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface ScopeInputs {
  readonly escape: EscapeToken;
  /** What an ARG without a default takes. */
  readonly globals: ReadonlyMap<string, string>;
  readonly buildArgs: Readonly<Record<string, string>>;
}

/** What an instruction of a stage can refer to, at one point of the file. Changes as the stage is walked. */
export class Scope {
  readonly #inputs: ScopeInputs;
  readonly #values: Map<string, string>;
  readonly #declared: Set<string>;
  /** False when the base image's own environment is not known. */
  complete = true;
  /** A SHELL was chosen, by the stage or what it is based on. */
  shell = false;
  /** A WORKDIR stands in this file above. */
  workdir = false;

  constructor(
    inputs: ScopeInputs,
    values: Iterable<readonly [string, string]> = [['PATH', DEFAULT_PATH]],
    declared: Iterable<string> = [],
  ) {
    this.#inputs = inputs;
    this.#values = new Map(values);
    this.#declared = new Set(declared);
  }

  /** The scope below `FROM image`; the image's triggers count. Undefined: nothing is known about the image. */
  static ofImage(config: ImageConfig | undefined, inputs: ScopeInputs): Scope {
    const env = (config?.config?.Env ?? []).map((entry) => {
      const equals = entry.indexOf('=');
      return equals < 0 ? ([entry, ''] as const) : ([entry.slice(0, equals), entry.slice(equals + 1)] as const);
    });
    const scope = new Scope(inputs, [['PATH', DEFAULT_PATH], ...env]);
    scope.complete = config !== undefined;
    scope.shell = (config?.config?.Shell ?? []).length > 0;
    for (const text of config?.config?.OnBuild ?? []) {
      const { value } = parseInstruction(text);
      if (value) scope.add(value);
    }
    return scope;
  }

  /** The scope below `FROM stage`, at whose end this one stands. */
  inherit(instructions: readonly Instruction[]): Scope {
    const scope = new Scope(this.#inputs, this.#values, this.#declared);
    scope.complete = this.complete;
    scope.shell = this.shell;
    scope.workdir = this.workdir;
    for (const instruction of instructions) if (instruction.kind === 'onbuild') scope.add(instruction.instruction);
    return scope;
  }

  /** Names that can be used, oldest first. */
  get names(): Iterable<string> {
    return this.#values.keys();
  }

  has(name: string): boolean {
    return this.#values.has(name) || this.#declared.has(name);
  }

  expand(word: Word): Expansion {
    return expandWord(word.text, { escape: this.#inputs.escape, lookup: (name) => this.#values.get(name) });
  }

  lookup(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** What the instruction adds for those below it. All words of one ENV see what was there before. */
  add(instruction: Instruction): void {
    if (instruction.kind === 'env') {
      const pairs = instruction.pairs.map(({ key, value }) => [this.#valueOf(key), this.#valueOf(value)] as const);
      for (const [key, value] of pairs) this.#values.set(key, value);
    } else if (instruction.kind === 'arg') {
      for (const arg of instruction.args) this.declare(arg);
    } else if (instruction.kind === 'shell') this.shell = true;
    else if (instruction.kind === 'workdir') this.workdir = true;
  }

  /** One ARG: the next one sees it, also in the same instruction. */
  declare({ name, value }: ArgInstruction['args'][number]): void {
    const { buildArgs, globals } = this.#inputs;
    const given = Object.hasOwn(buildArgs, name.text) ? buildArgs[name.text] : undefined;
    const effective = given ?? (value ? this.#valueOf(value) : globals.get(name.text));
    if (effective !== undefined) this.#values.set(name.text, effective);
    this.#declared.add(name.text);
  }

  #valueOf(word: Word): string {
    return /[$"'\\`]/.test(word.text) ? this.expand(word).value : word.text;
  }
}

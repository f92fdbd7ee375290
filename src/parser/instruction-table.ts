import table from '../../grammar/dockerfile/instructions.json' with { type: 'json' };

/** How the text after the flags is read; one lexer mode and one grammar rule each. */
export type InstructionSyntax =
  | 'command'
  | 'list'
  | 'words'
  | 'from'
  | 'pairs'
  | 'names'
  | 'text'
  | 'healthcheck'
  | 'onbuild';

export interface FlagSpec {
  readonly type: 'string' | 'boolean' | 'list';
  readonly example: string;
}

export interface InstructionSpec {
  readonly syntax: InstructionSyntax;
  readonly form: string;
  readonly example: string;
  readonly minArgs: number;
  readonly maxArgs: number | null;
  readonly expandsVariables: boolean;
  readonly allowedInOnbuild: boolean;
  readonly heredocs: boolean;
  readonly flags: Readonly<Record<string, FlagSpec>>;
}

export type InstructionName = keyof typeof table;

/** `grammar/dockerfile/instructions.json`, typed. The annotation proves that the file has this shape. */
export const instructions = table as Readonly<Record<InstructionName, InstructionSpec>>;

/** The 18 instruction names, in capitals, sorted. */
export const instructionNames: readonly InstructionName[] = Object.keys(table).sort() as InstructionName[];

export function instructionNamed(keyword: string): InstructionName | undefined {
  const name = keyword.toUpperCase();
  return Object.hasOwn(table, name) ? (name as InstructionName) : undefined;
}

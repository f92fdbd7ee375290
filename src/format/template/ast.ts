/** A parsed template. `offset` is where a node starts in the source, for error messages. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with';
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | {
      readonly kind: 'range';
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | { readonly kind: 'break' | 'continue' };

export interface Pipeline {
  readonly offset: number;
  /** Names with `$`, one, or two for range. */
  readonly variables: readonly string[];
  /** `$x = ...` changes an existing variable. */
  readonly assigns: boolean;
  readonly commands: readonly Command[];
}

/** A first operand with its arguments: a call, or one value alone. */
export interface Command {
  readonly offset: number;
  readonly operands: readonly Operand[];
}

export type Operand = OperandBase & { readonly offset: number; readonly fields: readonly string[] };

type OperandBase =
  | { readonly kind: 'dot' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'group'; readonly pipeline: Pipeline };

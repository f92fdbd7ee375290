import { nearest } from '../../diagnostics/index.ts';
import { isBerthError } from '../../errors/index.ts';
import type { Command, Node, Operand, Pipeline } from './ast.ts';
import { templateError } from './error.ts';
import { functions, type TemplateFunction } from './functions.ts';
import { isTrue, printValue, sortedEntries, typeName, type Value } from './value.ts';

export interface EvaluateOptions {
  readonly functions?: ReadonlyMap<string, TemplateFunction>;
  /** True for a map whose keys are fixed: asking it for another one is an error, not `<no value>`. */
  readonly isStruct?: (value: object) => boolean;
}

type Flow = 'break' | 'continue' | undefined;

/** Runs a parsed template over `data`. @throws BerthError `invalid` with line and column */
export function evaluate(nodes: readonly Node[], source: string, data: Value, options: EvaluateOptions = {}): string {
  const evaluator = new Evaluator(source, data, options);
  evaluator.run(nodes, data);
  return evaluator.output;
}

class Evaluator {
  output = '';
  readonly #source: string;
  readonly #functions: ReadonlyMap<string, TemplateFunction>;
  readonly #isStruct: (value: object) => boolean;
  /** Innermost last. */
  readonly #variables: { readonly name: string; value: Value }[];

  constructor(source: string, data: Value, options: EvaluateOptions) {
    this.#source = source;
    this.#functions = options.functions ?? functions;
    this.#isStruct = options.isStruct ?? (() => false);
    this.#variables = [{ name: '$', value: data }];
  }

  run(nodes: readonly Node[], dot: Value): Flow {
    for (const node of nodes) {
      const flow = this.#node(node, dot);
      if (flow) return flow;
    }
    return undefined;
  }

  #node(node: Node, dot: Value): Flow {
    switch (node.kind) {
      case 'text':
        this.output += node.text;
        return undefined;
      case 'action': {
        const value = this.#pipeline(node.pipeline, dot);
        if (node.pipeline.variables.length === 0) this.output += printValue(value);
        return undefined;
      }
      case 'if':
      case 'with':
        return this.#scoped(() => {
          const value = this.#pipeline(node.pipeline, dot);
          if (!isTrue(value)) return this.run(node.otherwise, dot);
          return this.run(node.body, node.kind === 'with' ? value : dot);
        });
      case 'range':
        return this.#scoped(() => this.#range(node.pipeline, node, dot));
      default:
        return node.kind;
    }
  }

  #range(
    pipeline: Pipeline,
    { body, otherwise }: { body: readonly Node[]; otherwise: readonly Node[] },
    dot: Value,
  ): Flow {
    const { variables } = pipeline;
    const entries = this.#entries(this.#value(pipeline, dot), pipeline.offset);
    if (entries.length === 0) return this.run(otherwise, dot);
    for (const [key, value] of entries) {
      const flow = this.#scoped(() => {
        if (variables.length === 1) this.#bind(pipeline, variables[0]!, value);
        if (variables.length === 2) {
          this.#bind(pipeline, variables[0]!, key);
          this.#bind(pipeline, variables[1]!, value);
        }
        return this.run(body, value);
      });
      if (flow === 'break') break;
    }
    return undefined;
  }

  #entries(value: Value, offset: number): readonly (readonly [Value, Value])[] {
    if (value === null || value === undefined) return [];
    if (Array.isArray(value)) return value.map((element, index) => [index, element] as const);
    if (typeof value === 'object') return sortedEntries(value as Record<string, Value>);
    if (Number.isSafeInteger(value))
      return Array.from({ length: Math.max(0, value as number) }, (_, i) => [i, i] as const);
    throw this.#error(offset, `cannot range over a ${typeName(value)}`);
  }

  #scoped(action: () => Flow): Flow {
    const depth = this.#variables.length;
    try {
      return action();
    } finally {
      this.#variables.length = depth;
    }
  }

  #bind({ assigns, offset }: Pipeline, name: string, value: Value): void {
    if (!assigns) this.#variables.push({ name, value });
    else this.#variable(name, offset).value = value;
  }

  #variable(name: string, offset: number): { value: Value } {
    const found = this.#variables.findLast((variable) => variable.name === name);
    if (!found) throw this.#error(offset, `undefined variable: ${name}`);
    return found;
  }

  #pipeline(pipeline: Pipeline, dot: Value): Value {
    const value = this.#value(pipeline, dot);
    if (pipeline.variables.length === 1) this.#bind(pipeline, pipeline.variables[0]!, value);
    return value;
  }

  #value(pipeline: Pipeline, dot: Value): Value {
    let piped: readonly Value[] = [];
    for (const command of pipeline.commands) piped = [this.#command(command, dot, piped)];
    return piped[0];
  }

  #command({ operands, offset }: Command, dot: Value, piped: readonly Value[]): Value {
    const [first, ...rest] = operands as readonly [Operand, ...Operand[]];
    if (first.kind === 'function') return this.#call(first, rest, dot, piped);
    const callee = this.#operand(first, dot);
    const args = () => [...rest.map((operand) => this.#operand(operand, dot)), ...piped];
    if (typeof callee === 'function')
      return this.#guard(offset, () => (callee as (...args: Value[]) => Value)(...args()));
    if (rest.length + piped.length > 0) throw this.#error(offset, `${nameOf(first)} takes no arguments`);
    return callee;
  }

  #call(operand: Operand & { kind: 'function' }, rest: readonly Operand[], dot: Value, piped: readonly Value[]): Value {
    const { name, offset } = operand;
    const known = this.#functions.get(name);
    if (!known)
      throw this.#error(offset, `unknown function: ${name}`, didYouMean(nearest(name, this.#functions.keys())));
    const count = rest.length + piped.length;
    if (count < known.min || count > known.max) {
      const wanted =
        known.min === known.max ? `${known.min}` : count < known.min ? `at least ${known.min}` : `at most ${known.max}`;
      throw this.#error(offset, `${name} takes ${wanted} argument${wanted.endsWith('1') ? '' : 's'}, found ${count}`);
    }
    if (name === 'and' || name === 'or') return this.#shortCircuit(name, rest, dot, piped);
    const args = [...rest.map((argument) => this.#operand(argument, dot)), ...piped];
    return this.#fields(
      this.#guard(offset, () => known.call(args)),
      operand,
    );
  }

  #shortCircuit(name: 'and' | 'or', rest: readonly Operand[], dot: Value, piped: readonly Value[]): Value {
    let value: Value;
    for (const argument of rest) {
      value = this.#operand(argument, dot);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }

  #operand(operand: Operand, dot: Value): Value {
    switch (operand.kind) {
      case 'literal':
        return operand.value;
      case 'dot':
        return this.#fields(dot, operand);
      case 'variable':
        return this.#fields(this.#variable(operand.name, operand.offset).value, operand);
      case 'group':
        return this.#fields(this.#value(operand.pipeline, dot), operand);
      default:
        return this.#call(operand, [], dot, []);
    }
  }

  #fields(base: Value, { fields, offset }: Operand): Value {
    let value = base;
    for (const [index, field] of fields.entries()) {
      if (value === null || value === undefined) {
        // Only the first step may find nothing: `.A` of nothing prints `<no value>`, `.A.B` of it is a mistake.
        if (index === 0) return undefined;
        throw this.#error(offset, `.${fields.slice(0, index).join('.')} is nil, so it has no .${field}`);
      }
      if (typeof value !== 'object' || Array.isArray(value)) {
        throw this.#error(offset, `a ${typeName(value)} has no field .${field}`);
      }
      value = this.#field(value as Readonly<Record<string, Value>>, field, offset);
    }
    return value;
  }

  #field(map: Readonly<Record<string, Value>>, field: string, offset: number): Value {
    if (Object.hasOwn(map, field)) return map[field];
    if (!this.#isStruct(map)) return undefined;
    const meant = nearest(field, Object.keys(map));
    throw this.#error(offset, `no field .${field}`, didYouMean(meant && `.${meant}`));
  }

  #guard<T>(offset: number, action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (isBerthError(error) || !(error instanceof Error)) throw error;
      throw this.#error(offset, error.message);
    }
  }

  #error(offset: number, message: string, hint?: string): Error {
    return templateError(this.#source, offset, message, hint);
  }
}

function didYouMean(candidate: string | undefined): string | undefined {
  return candidate && `did you mean ${candidate}?`;
}

function nameOf(operand: Operand): string {
  return operand.fields.length > 0 ? `.${operand.fields.join('.')}` : 'a value';
}

import { type EvaluateOptions, evaluate } from './evaluate.ts';

export { headFunctions } from './functions.ts';

import { parseTemplate } from './parse.ts';
import type { Value } from './value.ts';

/** A parsed template: it can be rendered many times. */
export interface Template {
  /** @throws BerthError `invalid` with line and column */
  render(data: Value, options?: EvaluateOptions): string;
}

/**
 * Compiles a Go text/template with Docker's functions (json, split, join, title, lower, upper, pad, truncate).
 * `define`, `template` and `block` are not supported.
 * @throws BerthError `invalid` with line and column
 */
export function compileTemplate(source: string): Template {
  const nodes = parseTemplate(source);
  return { render: (data, options) => evaluate(nodes, source, data, options) };
}

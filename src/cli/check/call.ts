import { BerthError } from '../../errors/index.ts';
import type { FlagValues } from '../syntax/flag-values.ts';

const METHODS = ['build', 'check', 'outline', 'targets'] as const;
const FORMATS = ['auto', 'text', 'json', 'sarif', 'github'] as const;

export type Method = (typeof METHODS)[number];
export type CheckFormat = Exclude<(typeof FORMATS)[number], 'auto'>;

/** What `berth build` is asked to do instead of building. */
export interface Call {
  readonly method: Method;
  readonly format: CheckFormat;
  readonly fix: boolean;
}

/** Reads `--call`, `--check`, `--fix` and `--check-format`. @throws BerthError `invalid` */
export function readCall(flags: FlagValues, env: Readonly<Record<string, string | undefined>>): Call {
  const [name = 'build', ...options] = (flags.string('call') ?? 'build').split(',');
  const written = name === 'lint' ? 'check' : name;
  const named = METHODS.find((method) => method === written);
  if (!named) throw invalid(`--call has no method ${JSON.stringify(name)}`, `use one of ${METHODS.join(', ')}`);
  const method = flags.bool('check') ? 'check' : named;
  if (flags.bool('check') && named !== 'build' && named !== 'check') {
    throw invalid(`--check and --call ${name} ask for two things`, 'keep one of the two');
  }
  const fix = flags.bool('fix');
  if (fix && method !== 'check') throw invalid('--fix belongs to --check', 'write --check --fix');
  return { method, format: readFormat(method, options, flags, env), fix };
}

function readFormat(
  method: Method,
  options: readonly string[],
  flags: FlagValues,
  env: Readonly<Record<string, string | undefined>>,
): CheckFormat {
  let text = flags.string('check-format') ?? 'auto';
  for (const option of options) {
    if (!option.startsWith('format='))
      throw invalid(`--call has no option ${JSON.stringify(option)}`, 'use format=json');
    text = option.slice('format='.length);
  }
  const format = FORMATS.find((known) => known === text);
  if (!format) throw invalid(`there is no format ${JSON.stringify(text)}`, `use one of ${FORMATS.join(', ')}`);
  if (format === 'auto') return method === 'check' && env['GITHUB_ACTIONS'] === 'true' ? 'github' : 'text';
  if (method !== 'check' && format !== 'text' && format !== 'json') {
    throw invalid(`--call ${method} has no format ${format}`, 'use text or json');
  }
  return format;
}

function invalid(message: string, hint: string): BerthError {
  return new BerthError('invalid', message, { hint });
}

import { nearest } from '../../diagnostics/index.ts';
import type { Directive, Instruction } from '../ir.ts';
import type { Report } from '../report.ts';
import { lintRules, type RuleName, ruleNames } from './rules.ts';

/** What `# check=` says. */
export interface CheckSettings {
  readonly skip: ReadonlySet<string> | 'all';
  readonly experimental: ReadonlySet<string> | 'all';
  /** Findings are errors. */
  readonly error: boolean;
}

export const defaultSettings: CheckSettings = { skip: new Set(), experimental: new Set(), error: false };

export interface ReadSettings {
  readonly settings: CheckSettings;
  /** The option that is none, as written. */
  readonly invalid?: string;
  readonly unknownRules: readonly string[];
}

/** Reads `skip=A,B;error=true;experimental=all`. */
export function parseCheckSettings(text: string): ReadSettings {
  let { skip, experimental, error } = defaultSettings;
  const invalid = (option: string): ReadSettings => ({ settings: defaultSettings, invalid: option, unknownRules: [] });
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    const key = part.slice(0, equals).trim();
    const value = part.slice(equals + 1).trim();
    if (equals < 0) return invalid(part.trim());
    if (key === 'skip') skip = ruleSet(value);
    else if (key === 'experimental') experimental = ruleSet(value);
    else if (key !== 'error') return invalid(key);
    else if (/^(1|t|true)$/i.test(value)) error = true;
    else if (/^(0|f|false)$/i.test(value)) error = false;
    else return invalid(`${key}=${value}`);
  }
  const named = [skip, experimental].flatMap((set) => (set === 'all' ? [] : [...set]));
  return { settings: { skip, experimental, error }, unknownRules: named.filter((name) => !isRule(name)) };
}

/** Reports what is wrong with `# check=` at the top of a file. */
export function checkDirectives(directives: readonly Directive[], report: Report): void {
  for (const { name: directive, value, span } of directives) {
    if (directive !== 'check') continue;
    const { invalid, unknownRules } = parseCheckSettings(value);
    if (invalid !== undefined) report('dockerfile/invalid-check', span, { value: invalid });
    for (const name of unknownRules) {
      report('dockerfile/unknown-check', span, { name, nearest: nearest(name, ruleNames) });
    }
  }
}

/** Rules that a comment above the instruction switches off for it: `# check=skip=Rule // why`. */
export function skippedHere({ comments }: Pick<Instruction, 'comments'>): CheckSettings['skip'] {
  const skipped = new Set<string>();
  for (const comment of comments) {
    const match = /^check\s*=(.*?)(?:\s*\/\/.*)?$/.exec(comment);
    if (!match) continue;
    const { skip } = parseCheckSettings(match[1]!).settings;
    if (skip === 'all') return skip;
    for (const rule of skip) skipped.add(rule);
  }
  return skipped;
}

export function isEnabled(rule: RuleName, { skip, experimental }: CheckSettings): boolean {
  if (skip === 'all' || skip.has(rule)) return false;
  const isExperimental = 'experimental' in lintRules[rule];
  return !isExperimental || experimental === 'all' || experimental.has(rule);
}

function ruleSet(value: string): ReadonlySet<string> | 'all' {
  if (value === 'all') return 'all';
  return new Set(
    value
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  );
}

function isRule(name: string): boolean {
  return Object.hasOwn(lintRules, name);
}

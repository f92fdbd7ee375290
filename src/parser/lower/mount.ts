import { nearest, type Span } from '../../diagnostics/index.ts';
import { parseSize } from '../../units/index.ts';
import type { Mount, Word } from '../ir.ts';
import { commaFields } from '../lex/comma-fields.ts';
import type { Flag } from '../lex/flag.ts';
import type { Report } from '../report.ts';

type MountType = Mount['type'];

export const MOUNT_TYPES: readonly MountType[] = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'];
const ALIASES: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
  rw: 'readwrite',
};
/** Options that may stand without a value. */
const SWITCHES = ['readonly', 'readwrite', 'required'];

interface OptionRule {
  /** Mount types that take the option. */
  readonly types: readonly MountType[];
  /** What a value must be, and how to say so; a value with a variable is checked once it is expanded. */
  readonly valid?: (value: string) => boolean;
  readonly advice?: string;
}

const owners: readonly MountType[] = ['cache', 'secret', 'ssh'];
const truth: Pick<OptionRule, 'valid' | 'advice'> = {
  valid: (value) => /^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value),
  advice: 'use true or false',
};
const number: Pick<OptionRule, 'valid' | 'advice'> = {
  valid: (value) => /^\d{1,10}$/.test(value),
  advice: 'use a number, for example: 1000',
};

export const MOUNT_OPTIONS: Readonly<Record<string, OptionRule>> = {
  from: { types: ['bind', 'cache', 'tmpfs'] },
  source: { types: ['bind', 'cache', 'tmpfs', 'secret'] },
  target: {
    types: MOUNT_TYPES,
    valid: (value) => !/^\/+$/.test(value),
    advice: 'a mount cannot cover the whole file system: name a directory below /',
  },
  readonly: { types: MOUNT_TYPES, ...truth },
  readwrite: { types: MOUNT_TYPES, ...truth },
  required: { types: ['secret', 'ssh'], ...truth },
  size: { types: ['tmpfs'], valid: isSize, advice: 'use bytes or a unit, for example: 64m' },
  id: { types: MOUNT_TYPES },
  sharing: {
    types: ['cache'],
    valid: (value) => ['shared', 'private', 'locked'].includes(value.toLowerCase()),
    advice: 'use shared, private or locked',
  },
  mode: {
    types: owners,
    valid: (value) => /^[0-7]{1,10}$/.test(value),
    advice: 'use an octal number, for example: 0755',
  },
  uid: { types: owners, ...number },
  gid: { types: owners, ...number },
  env: { types: MOUNT_TYPES },
};

interface ReadOption {
  readonly key: string;
  readonly written: string;
  readonly value: Word | null;
  readonly span: Span;
}

/** Reads one `RUN --mount=` value. Null when it names no known type. */
export function readMount(flag: Flag, report: Report): Mount | null {
  let type: MountType | null = 'bind';
  const options: ReadOption[] = [];
  for (const field of commaFields(flag.value?.text ?? '')) {
    const equals = field.text.indexOf('=');
    const written = equals < 0 ? field.text : field.text.slice(0, equals);
    const key = ALIASES[written.toLowerCase()] ?? written.toLowerCase();
    const quoted = field.end - field.start - field.text.length > 0 ? 1 : 0;
    const { span } = flag.valuePart(field.start, field.end, field.text);
    const valueText = field.text.slice(equals + 1);
    const value = equals < 0 ? null : flag.valuePart(field.start + quoted + equals + 1, field.end - quoted, valueText);
    if (key === 'type') type = readType(value, span, report);
    else if (!Object.hasOwn(MOUNT_OPTIONS, key) && value) {
      const allowed = ['type', ...Object.keys(MOUNT_OPTIONS)];
      report('dockerfile/unknown-mount-option', span, { name: written, allowed, nearest: nearest(written, allowed) });
    } else if (!value && !SWITCHES.includes(key)) {
      report('dockerfile/mount-option-needs-value', span, { name: field.text });
    } else options.push({ key, written, value, span });
  }
  if (!type) return null;
  for (const option of options) checkOption(option, type, report);
  checkWhole(flag, options, type, report);
  return { span: flag.word.span, type, options: options.map(({ key, value }) => ({ key, value })) };
}

function readType(value: Word | null, span: Span, report: Report): MountType | null {
  const text = value?.text.toLowerCase() ?? '';
  const type = MOUNT_TYPES.find((known) => known === text);
  if (type) return type;
  if (value) {
    report('dockerfile/unknown-mount-type', value.span, {
      value: value.text,
      allowed: MOUNT_TYPES,
      nearest: nearest(text, MOUNT_TYPES),
    });
  } else report('dockerfile/mount-option-needs-value', span, { name: 'type' });
  return null;
}

function checkOption({ key, written, value, span }: ReadOption, type: MountType, report: Report): void {
  const rule = MOUNT_OPTIONS[key]!;
  if (!rule.types.includes(type)) {
    const allowed = Object.keys(MOUNT_OPTIONS).filter((name) => MOUNT_OPTIONS[name]!.types.includes(type));
    report('dockerfile/mount-option-not-allowed', span, { name: written, value: type, allowed });
  } else if (key === 'from' && value?.text.includes('$')) {
    report('dockerfile/variable-in-from', value.span, { name: 'from' });
  } else if (value && rule.valid && !value.text.includes('$') && !rule.valid(value.text)) {
    report('dockerfile/invalid-mount-value', value.span, { name: written, value: value.text, example: rule.advice! });
  }
}

function checkWhole(flag: Flag, options: readonly ReadOption[], type: MountType, report: Report): void {
  if (type !== 'secret') return;
  const given = (key: string) => options.find((option) => option.key === key);
  const source = given('source');
  if (source && given('id')) {
    report('dockerfile/conflicting-mount-options', source.span, { name: 'id', value: source.written });
  } else if (!source && !given('id') && !given('target')) {
    report('dockerfile/incomplete-mount', flag.word.span, {
      value: type,
      name: 'an id',
      example: '--mount=type=secret,id=token',
    });
  }
}

function isSize(value: string): boolean {
  try {
    return parseSize(value) >= 0;
  } catch {
    return false;
  }
}

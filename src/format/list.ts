import { alignColumns } from './tabwriter.ts';

/** One line of a list: every field a template may ask for. A function is a field that takes arguments. */
export type Row = Readonly<Record<string, string | ((...args: never[]) => string)>>;

export interface ListFormat {
  /** The user's `--format`: `table`, `table TEMPLATE`, `json`, or a template. */
  readonly format: string;
  /** Template of plain `table`, with tabs between cells. */
  readonly table: string;
  /** Field to head, for all fields that tables know. */
  readonly heads: Readonly<Record<string, string>>;
}

/**
 * Prints rows in the format that the user asked for. Control characters of values are made visible, so a name or a
 * label cannot move the cursor; `json` keeps them, escaped.
 * @returns complete lines, or '' @throws BerthError `invalid` for a bad template
 */
export async function formatList({ format, table, heads }: ListFormat, rows: readonly Row[]): Promise<string> {
  const trimmed = format.trim();
  if (trimmed === 'json') return lines(rows.map((row) => JSON.stringify(plainFields(row))));
  const isTable = /^table(\s|$)/.test(trimmed);
  const source = (isTable ? trimmed.slice('table'.length).trim() || table : trimmed)
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n');
  const template = plainTemplate(source, heads) ?? (await fullTemplate(source, heads));
  const printed = rows.map(template.row);
  if (!isTable) return lines(printed);
  return lines(alignColumns([template.head(), ...printed].flatMap((text) => text.split('\n'))));
}

interface ListTemplate {
  row(row: Row): string;
  head(): string;
}

/** Text with plain fields, as all default tables are: it needs no template engine, whose loading a list would feel. */
function plainTemplate(source: string, heads: Readonly<Record<string, string>>): ListTemplate | undefined {
  const parts = source.split(/\{\{\s*\.(\w+)\s*\}\}/);
  const isPlain = parts.every((part, index) => (index % 2 === 0 ? !part.includes('{{') : Object.hasOwn(heads, part)));
  if (!isPlain) return undefined;
  const fill = (field: (name: string) => string) =>
    parts.map((part, index) => (index % 2 === 0 ? part : field(part))).join('');
  return {
    row: (row) => fill((name) => visibleText(String(row[name] ?? ''))),
    head: () => fill((name) => heads[name]!),
  };
}

async function fullTemplate(source: string, heads: Readonly<Record<string, string>>): Promise<ListTemplate> {
  const { compileTemplate, headFunctions } = await import('./template/index.ts');
  const template = compileTemplate(source);
  return {
    row: (row) => template.render(visibleFields(row), { isStruct: (value) => Object.hasOwn(value, ROW) }),
    head: () => template.render(headFields(heads), { functions: headFunctions }),
  };
}

/** Text without control characters: each becomes the replacement character. */
export function visibleText(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd');
}

/** Marks a row, whose fields are all there: another name in a template is a typing mistake. */
const ROW: unique symbol = Symbol('row');

function visibleFields(row: Row): object {
  const fields = Object.entries(row).map(([name, value]) => [
    name,
    typeof value === 'string' ? visibleText(value) : guarded(value),
  ]);
  return Object.assign(Object.fromEntries(fields), { [ROW]: true });
}

function guarded(field: (...args: never[]) => string): (...args: never[]) => string {
  return (...args) => visibleText(field(...args));
}

/** `.Label "x"` as a head is the label's name. */
function headFields(heads: Readonly<Record<string, string>>): object {
  const label = (name: unknown) => String(name).split('.').at(-1)!.replaceAll(/[-_]/g, ' ');
  return { ...heads, Label: label };
}

function plainFields(row: Row): object {
  return Object.fromEntries(
    Object.entries(row)
      .filter(([, value]) => typeof value === 'string')
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}

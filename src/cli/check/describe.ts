import { alignColumns, visibleText } from '../../format/index.ts';
import {
  listTargets,
  type Outline,
  type OutlineMount,
  type ParsedDockerfile,
  type Target,
} from '../../parser/index.ts';
import { linesOf, location, source } from './formats.ts';

/** The JSON of `--call targets,format=json`. */
export function targetsJson({ value, source: text }: ParsedDockerfile): object {
  return {
    targets: listTargets(value).map(({ name, isDefault, description, base, platform, instruction }) => ({
      ...(name === undefined ? {} : { name }),
      ...(isDefault ? { default: true } : {}),
      ...(description === undefined ? {} : { description }),
      base,
      ...(platform === undefined ? {} : { platform }),
      location: location(linesOf(instruction.span)),
    })),
    sources: [source(text)],
  };
}

export function targetsText({ value }: ParsedDockerfile): string {
  const label = ({ name, index, isDefault }: Target) => `${name ?? index}${isDefault ? ' (default)' : ''}`;
  const rows = listTargets(value).map((target) => [label(target), target.base, target.description ?? '']);
  return table(['TARGET', 'BASE', 'DESCRIPTION'], rows);
}

/** The JSON of `--call outline,format=json`. */
export function outlineJson(outline: Outline, { source: text }: ParsedDockerfile): object {
  const { name, description, args, secrets, ssh, caches } = outline;
  const mounts = (found: readonly OutlineMount[]) =>
    found.map(({ id, required, instruction }) => ({
      name: id,
      ...(required ? { required } : {}),
      location: location(linesOf(instruction.span)),
    }));
  const whenAny = (key: string, items: readonly object[]) => (items.length > 0 ? { [key]: items } : {});
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...whenAny(
      'args',
      args.map(({ instruction, ...arg }) => ({ ...arg, location: location(linesOf(instruction.span)) })),
    ),
    ...whenAny('secrets', mounts(secrets)),
    ...whenAny('ssh', mounts(ssh)),
    ...whenAny(
      'cache',
      caches.map(({ id, instruction }) => ({ ID: id, location: location(linesOf(instruction.span)) })),
    ),
    sources: [source(text)],
  };
}

export function outlineText({ name, description, args, secrets, ssh, caches }: Outline): string {
  const head = [
    `TARGET:      ${name ?? '(default)'}\n`,
    description ? `DESCRIPTION: ${visibleText(description)}\n` : '',
  ].join('');
  const mounts = (title: string, found: readonly OutlineMount[]) =>
    table(
      [title, 'REQUIRED'],
      found.map(({ id, required }) => [id, required ? 'yes' : 'no']),
    );
  const parts = [
    head,
    table(
      ['BUILD ARG', 'VALUE', 'DESCRIPTION'],
      args.map((arg) => [arg.name, arg.value ?? '', arg.description ?? '']),
    ),
    mounts('SECRET', secrets),
    mounts('SSH', ssh),
    table(
      ['CACHE MOUNT'],
      caches.map(({ id }) => [id]),
    ),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const lines = [heads, ...rows.map((row) => row.map(visibleText))].map((cells) => cells.join('\t'));
  return alignColumns(lines)
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

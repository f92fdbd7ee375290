import { type CommandSpec, commandTable, type FlagSpec, flagsOf } from './spec.ts';

const WIDTH = 80;
const NARROWEST_TEXT = 24;

/** What `berth NAME --help` prints. `name` is the command as it was typed. */
export function commandHelp(command: CommandSpec, name: string): string {
  const names = [...command.aliases, command.path].map((words) => `berth ${words.join(' ')}`);
  const flags = flagsOf(command).filter((flag) => !flag.hidden && flag.status === 'done');
  const later = flagsOf(command).filter((flag) => !flag.hidden && flag.status === 'planned');
  return [
    `Usage:  ${`berth ${name} ${command.usage}`.trim()}`,
    command.summary,
    ...(command.aliases.length > 0 ? [`Aliases:\n  ${names.join(', ')}`] : []),
    ...(flags.length > 0 ? [`Options:\n${flagLines(flags)}`] : []),
    ...(later.length > 0 ? [`Not there yet:\n${wrapped(later.map((flag) => `--${flag.name}`).join(' '), 2)}`] : []),
  ]
    .map((paragraph) => `${paragraph}\n`)
    .join('\n');
}

/** What `berth container` prints. */
export function groupHelp(group: string): string {
  const entries = commandTable.commands
    .flatMap(({ path, aliases, summary }) => {
      const words = [path, ...aliases].find((name) => name.length === 2 && name[0] === group);
      return words ? [[words[1]!, summary] as const] : [];
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const { summary } = commandTable.groups.find(({ name }) => name === group)!;
  return (
    `Usage:  berth ${group} COMMAND\n\n${summary}\n\nCommands:\n${columns(entries)}\n` +
    `Run 'berth ${group} COMMAND --help' for more information on a command.\n`
  );
}

/** What `berth --help` prints. */
export function mainHelp(): string {
  const single = commandTable.commands.filter(({ path }) => path.length === 1);
  const entries = (common: boolean) =>
    single
      .filter(({ section }) => (section === 'common') === common)
      .map(({ path, summary }) => [path[0]!, summary] as const);
  const flags = commandTable.global.filter((flag) => flag.status === 'done');
  return (
    'Usage:  berth [OPTIONS] COMMAND\n\nFrom a Dockerfile to a running container\n\n' +
    `Common Commands:\n${columns(entries(true))}\n` +
    `Management Commands:\n${columns(commandTable.groups.map(({ name, summary }) => [name, summary] as const))}\n` +
    `Commands:\n${columns(entries(false))}\n` +
    `Global Options:\n${flagLines(flags)}\n\nRun 'berth COMMAND --help' for more information on a command.\n`
  );
}

function columns(entries: readonly (readonly [string, string])[]): string {
  const width = Math.max(11, ...entries.map(([name]) => name.length + 1));
  return entries.map(([name, summary]) => `  ${name.padEnd(width)} ${summary}\n`).join('');
}

function flagLines(flags: readonly FlagSpec[]): string {
  const heads = flags.map(
    ({ name, short, type }) => `  ${short ? `-${short},` : '   '} --${name}${type === 'bool' ? '' : ` ${type}`}`,
  );
  const width = Math.max(...heads.map((head) => head.length)) + 3;
  return flags
    .map((flag, at) => {
      const text = `${flag.help}${defaultText(flag)}`;
      return `${heads[at]!.padEnd(width)}${wrapped(text, width).trimStart()}`;
    })
    .join('\n');
}

function defaultText({ default: value, type }: FlagSpec): string {
  if (value === undefined) return '';
  return ` (default ${type === 'string' ? JSON.stringify(value) : value})`;
}

/** Breaks text between words so that it ends at column 80; every line starts at `indent`. */
function wrapped(text: string, indent: number): string {
  const room = Math.max(NARROWEST_TEXT, WIDTH - indent);
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= room) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => ' '.repeat(indent) + line).join('\n');
}

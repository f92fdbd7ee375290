import { nearest } from '../../diagnostics/index.ts';
import { type CommandSpec, commandTable } from './spec.ts';
import { UsageError } from './usage-error.ts';

export type Found =
  | { readonly kind: 'command'; readonly command: CommandSpec; readonly name: string; readonly argv: readonly string[] }
  | { readonly kind: 'help'; readonly group?: string };

/**
 * The command that the words after the global flags name, alone (`ps`) or in a group (`container ls`).
 * @throws UsageError for an unknown command, and for one of Docker's that is not there yet
 */
export function findCommand(words: readonly string[]): Found {
  const [first, second] = words;
  if (first === undefined) return { kind: 'help' };
  if (first === 'help') return helpFor(words.slice(1));
  const isGroup = commandTable.groups.some((group) => group.name === first);
  if (!isGroup) return { kind: 'command', ...command([first]), argv: words.slice(1) };
  if (second === undefined || second === '--help' || second === '-h') return { kind: 'help', group: first };
  return { kind: 'command', ...command([first, second]), argv: words.slice(2) };
}

/** `help run` is `run --help`. */
function helpFor(words: readonly string[]): Found {
  if (words.length === 0) return { kind: 'help' };
  const found = findCommand(words);
  return found.kind === 'command' ? { ...found, argv: ['--help'] } : found;
}

function command(path: readonly string[]): { command: CommandSpec; name: string } {
  const name = path.join(' ');
  const found = commandTable.commands.find((candidate) =>
    [candidate.path, ...candidate.aliases].some((words) => words.join(' ') === name),
  );
  if (found) return { command: found, name };
  const parent = path.slice(0, -1).join(' ');
  if (commandTable.planned.includes(name)) {
    throw new UsageError(`the command '${name}' is not there yet`, { exitCode: 1, command: parent });
  }
  const meant = nearest(path.at(-1)!, namesBeside(parent));
  const hint = meant ? `did you mean berth ${[parent, meant].filter(Boolean).join(' ')}?` : undefined;
  throw new UsageError(`unknown command: berth ${name}`, { exitCode: 1, command: parent, hint });
}

/** Last words of the commands of one group, or of those that stand alone. */
function namesBeside(parent: string): string[] {
  return commandTable.commands
    .flatMap(({ path, aliases }) => [path, ...aliases])
    .filter((words) => words.slice(0, -1).join(' ') === parent)
    .map((words) => words.at(-1)!);
}

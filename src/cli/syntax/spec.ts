import table from '../../../grammar/cli/commands.json' with { type: 'json' };

/** One flag as `grammar/cli/commands.json` describes it. */
export interface FlagSpec {
  readonly name: string;
  readonly short?: string;
  readonly type: FlagType;
  /** `planned`: known by name, refused when it would change something. */
  readonly status: 'done' | 'planned';
  readonly help: string;
  readonly default?: string;
  /** Values of a planned flag that ask for what happens anyway. */
  readonly inert?: readonly string[];
  /** Older names of the flag. */
  readonly aliases?: readonly string[];
  readonly hidden?: boolean;
}

/** The pflag types that help shows. */
export type FlagType =
  | 'bool'
  | 'string'
  | 'int'
  | 'list'
  | 'bytes'
  | 'duration'
  | 'decimal'
  | 'map'
  | 'mount'
  | 'filter'
  | 'ulimit';

export interface CommandSpec {
  readonly id: string;
  readonly path: readonly string[];
  readonly aliases: readonly (readonly string[])[];
  readonly usage: string;
  readonly args: { readonly min: number; readonly max?: number };
  readonly summary: string;
  readonly section?: 'common';
  /** False: the first argument ends the flags, what follows belongs to the command in the container. */
  readonly interspersed?: boolean;
  /** Names in `flagSets` whose flags come on top of `flags`. */
  readonly flagSets?: readonly string[];
  readonly flags: readonly FlagSpec[];
  /** Exit code of every failure before the container runs, 1 when absent. */
  readonly usageExit?: number;
}

export interface CommandTable {
  readonly groups: readonly { readonly name: string; readonly summary: string }[];
  /** Commands of Docker that are not there yet. */
  readonly planned: readonly string[];
  readonly global: readonly FlagSpec[];
  readonly flagSets: Readonly<Record<string, readonly FlagSpec[]>>;
  readonly commands: readonly CommandSpec[];
}

export const commandTable = table as CommandTable;

/** All flags of a command, sorted by name. */
export function flagsOf(command: CommandSpec): readonly FlagSpec[] {
  const shared = (command.flagSets ?? []).flatMap((name) => commandTable.flagSets[name] ?? []);
  return [...shared, ...command.flags].sort((a, b) => (a.name < b.name ? -1 : 1));
}

import type { Engine } from './connection/engine.ts';
import type { CliEnvironment } from './environment.ts';
import type { FlagValues } from './syntax/flag-values.ts';

/** What a command gets: its flags and arguments, read and checked, and a way to the engine. */
export interface CommandContext {
  /** As typed: `ps` or `container ls`. */
  readonly name: string;
  readonly flags: FlagValues;
  readonly args: readonly string[];
  readonly environment: CliEnvironment;
  readonly engine: Engine;
}

/** A command. @returns exit code */
export type Command = (context: CommandContext) => Promise<number>;

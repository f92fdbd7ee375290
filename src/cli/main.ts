import { isBerthError } from '../errors/index.ts';
import { commands } from './commands/index.ts';
import { openEngine } from './connection/engine.ts';
import { selectHost } from './connection/host.ts';
import type { CliEnvironment } from './environment.ts';
import { ExitStatus, exitCodes } from './exit-codes.ts';
import { printError } from './print-error.ts';
import { checkArgs } from './syntax/check-args.ts';
import { findCommand } from './syntax/find-command.ts';
import type { FlagValues } from './syntax/flag-values.ts';
import { commandHelp, groupHelp, mainHelp } from './syntax/help.ts';
import { type ParsedFlags, parseFlags } from './syntax/parse-flags.ts';
import { type CommandSpec, commandTable, type FlagSpec, flagsOf } from './syntax/spec.ts';
import { UsageError } from './syntax/usage-error.ts';

/**
 * Runs one command line, without the program's name. Prints every failure itself.
 * @returns the exit code
 */
export async function main(argv: readonly string[], environment: CliEnvironment): Promise<number> {
  const debug = argv.includes('--debug') || Boolean(environment.env['BERTH_DEBUG']);
  try {
    return await dispatch(argv, environment);
  } catch (error) {
    if (error instanceof ExitStatus) return error.code;
    printError(environment.stderr, error, { debug });
    if (error instanceof UsageError) return pointAtHelp(error, environment);
    return exitCodes.failure;
  }
}

async function dispatch(argv: readonly string[], environment: CliEnvironment): Promise<number> {
  const { stdout } = environment;
  const { values: global, args: words, help } = readFlags(argv, commandTable.global, { name: '', interspersed: false });
  if (global.bool('version')) {
    const { clientVersion } = await import('./commands/client-version.ts');
    stdout.write(`Berth version ${clientVersion}\n`);
    return exitCodes.ok;
  }
  const found = help ? ({ kind: 'help' } as const) : findCommand(words);
  if (found.kind === 'help') {
    stdout.write('group' in found && found.group ? groupHelp(found.group) : mainHelp());
    return exitCodes.ok;
  }
  const { command, name, argv: rest } = found;
  const { interspersed = true } = command;
  const parsed = readFlags(rest, flagsOf(command), { name, interspersed });
  if (parsed.help) {
    stdout.write(commandHelp(command, name));
    return exitCodes.ok;
  }
  checkArgs(command, name, parsed.args);
  return runCommand(command, { name, flags: parsed.values, args: parsed.args, global }, environment);
}

interface Call {
  readonly name: string;
  readonly flags: FlagValues;
  readonly args: readonly string[];
  readonly global: FlagValues;
}

async function runCommand(
  command: CommandSpec,
  { name, flags, args, global }: Call,
  environment: CliEnvironment,
): Promise<number> {
  try {
    const { run } = await commands[command.id]!();
    const engine = openEngine(selectHost(global.list('host'), environment.env), environment.hosts);
    try {
      return await run({ name, flags, args, environment, engine });
    } finally {
      engine.close();
    }
  } catch (error) {
    // `run` and `create` promise 125 for whatever fails before the container's own command does.
    if (command.usageExit === undefined || error instanceof ExitStatus || error instanceof UsageError) throw error;
    printError(environment.stderr, error, { debug: global.bool('debug') });
    return command.usageExit;
  }
}

function readFlags(
  argv: readonly string[],
  specs: readonly FlagSpec[],
  options: { name: string; interspersed: boolean },
): ParsedFlags {
  try {
    return parseFlags(argv, specs, options);
  } catch (error) {
    if (!isBerthError(error)) throw error;
    throw new UsageError(error.message, { exitCode: exitCodes.engine, command: options.name, hint: error.hint });
  }
}

function pointAtHelp({ command, exitCode }: UsageError, { stderr }: CliEnvironment): number {
  stderr.write(`See '${['berth', command, '--help'].filter(Boolean).join(' ')}'.\n`);
  return exitCode;
}

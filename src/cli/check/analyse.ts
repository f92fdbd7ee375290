import { randomBytes } from 'node:crypto';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hasErrors, nearest, printDiagnostic } from '../../diagnostics/index.ts';
import { BerthError } from '../../errors/index.ts';
import { parsePlatform } from '../../oci/index.ts';
import {
  type CheckedText,
  type CheckOptions,
  checkText,
  fixText,
  listTargets,
  outlineDockerfile,
  type ParsedDockerfile,
  parseDockerfile,
} from '../../parser/index.ts';
import { readBuildArgs } from '../build/request.ts';
import { readSource } from '../build/source.ts';
import type { CommandContext } from '../context.ts';
import { ExitStatus, exitCodes } from '../exit-codes.ts';
import { paintFor } from '../paint.ts';
import type { Call } from './call.ts';
import { outlineJson, outlineText, targetsJson, targetsText } from './describe.ts';
import { type FoundDockerfile, findDockerfile } from './dockerfile.ts';
import { checkGithub, checkJson, checkSarif } from './formats.ts';

/** `berth build --call` and `--check`: reads the Dockerfile and needs no engine. @returns exit code */
export async function analyse(context: CommandContext, call: Call): Promise<number> {
  const { flags, args, environment } = context;
  const source = await readSource(args[0]!, flags.string('file'), environment);
  const file = findDockerfile(source, environment.cwd);
  if (call.method === 'check') return await check(context, call, file);
  const parsed = parseDockerfile(file.text, { file: file.name });
  stopAtErrors(context, parsed);
  const { stdout } = environment;
  if (call.method === 'targets') {
    stdout.write(call.format === 'json' ? json(targetsJson(parsed)) : targetsText(parsed));
    return exitCodes.ok;
  }
  const options = checkOptions(context, file);
  const outline = outlineDockerfile(parsed.value, options);
  if (!outline) throw unknownTarget(parsed, options.target!);
  stdout.write(call.format === 'json' ? json(outlineJson(outline, parsed)) : outlineText(outline));
  return exitCodes.ok;
}

/** Exit code 1 when there is anything to say, as `docker build --check` has it. */
async function check(context: CommandContext, { format, fix }: Call, found: FoundDockerfile): Promise<number> {
  const { stdout, stderr } = context.environment;
  const options = { ...checkOptions(context, found), file: found.name };
  let text = found.text;
  if (fix) {
    const result = fixText(text, options);
    if (result.text !== text) await write(found, result.text);
    text = result.text;
    stderr.write(`${counted(result.fixed.length, 'finding')} fixed in ${found.name}\n`);
  }
  const checked = checkText(text, options);
  const { target } = options;
  if (target !== undefined && !hasErrors(checked.diagnostics) && !isTarget(checked.parsed, target)) {
    throw unknownTarget(checked.parsed, target);
  }
  switch (format) {
    case 'json':
      stdout.write(json(checkJson(checked, failure(checked))));
      break;
    case 'sarif':
      stdout.write(json(checkSarif(checked)));
      break;
    case 'github':
      stdout.write(checkGithub(checked));
      break;
    case 'text':
      stdout.write(report(checked, paintFor(stdout)));
  }
  return checked.diagnostics.some(({ severity }) => severity !== 'info') ? exitCodes.failure : exitCodes.ok;
}

function report({ diagnostics, findings, parsed }: CheckedText, paint: ReturnType<typeof paintFor>): string {
  if (diagnostics.length === 0) return 'Check complete, no warnings found.\n';
  const frames = diagnostics.map((diagnostic) => `${printDiagnostic(diagnostic, parsed.source, { paint })}\n`);
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const warnings = diagnostics.length - errors;
  const fixable = findings.filter(({ fix }) => fix).length;
  const counts = [errors > 0 ? counted(errors, 'error') : '', warnings > 0 ? counted(warnings, 'warning') : ''];
  const advice = fixable > 0 ? ` (--fix mends ${fixable === diagnostics.length ? 'all' : fixable} of them)` : '';
  return `${frames.join('\n')}\nCheck complete, ${counts.filter(Boolean).join(' and ')} found${advice}.\n`;
}

/** What a build says of a file that makes findings errors. */
function failure({ failed, findings }: CheckedText): string | undefined {
  if (!failed) return undefined;
  return `lint violation found for rules: ${[...new Set(findings.map(({ rule }) => rule))].join(', ')}`;
}

function checkOptions({ flags, environment }: CommandContext, { ignore }: FoundDockerfile): CheckOptions {
  const target = flags.string('target');
  const platform = flags.string('platform');
  const given = Object.entries(readBuildArgs(flags.list('build-arg'), environment.env));
  return {
    buildArgs: Object.fromEntries(given.filter((entry): entry is [string, string] => entry[1] !== null)),
    ...(target ? { target } : {}),
    ...(platform ? { platform: parsePlatform(platform) } : {}),
    ...(ignore ? { ignore } : {}),
  };
}

function stopAtErrors({ environment: { stderr } }: CommandContext, { diagnostics, source }: ParsedDockerfile): void {
  if (!hasErrors(diagnostics)) return;
  const style = { paint: paintFor(stderr) };
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  stderr.write(`${errors.map((error) => printDiagnostic(error, source, style)).join('\n\n')}\n`);
  throw new ExitStatus(exitCodes.failure);
}

function isTarget({ value }: ParsedDockerfile, target: string): boolean {
  return listTargets(value).some(({ name, index }) => name === target.toLowerCase() || String(index) === target);
}

function unknownTarget({ value }: ParsedDockerfile, target: string): BerthError {
  const names = listTargets(value).map(({ name, index }) => name ?? String(index));
  const meant = nearest(target, names);
  return new BerthError('not-found', `the Dockerfile has no stage ${JSON.stringify(target)}`, {
    hint: meant ? `did you mean ${meant}?` : `its stages are ${names.join(', ')}`,
  });
}

/** The file appears whole or not at all, with the mode it had; a link stays a link. */
async function write({ path, name }: FoundDockerfile, text: string): Promise<void> {
  if (path === undefined) throw new BerthError('invalid', '--fix needs a file to write to, and this came from stdin');
  const real = await realpath(path);
  const temporary = join(dirname(real), `.${basename(real)}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    const { mode } = await stat(real);
    const file = await open(temporary, 'wx', mode & 0o7777);
    try {
      await file.chmod(mode & 0o7777);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, real);
  } catch (error) {
    throw new BerthError('forbidden', `cannot write ${name}`, { cause: error });
  } finally {
    await rm(temporary, { force: true });
  }
}

const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`;
const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

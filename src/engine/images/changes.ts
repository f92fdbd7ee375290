import { posix } from 'node:path';
import { hasErrors } from '../../diagnostics/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { ContainerConfig, Healthcheck } from '../../oci/index.ts';
import {
  type Command,
  expandWord,
  expandWords,
  type Instruction,
  parseInstruction,
  type Word,
} from '../../parser/index.ts';
import { isDuration, parseDuration } from '../../units/index.ts';

/**
 * Folds the `--change` instructions of commit and import into a configuration, in order.
 * @throws BerthError `invalid` for text that is no instruction, or one that cannot change an image without a build
 * @see moby builder/dockerfile/builder.go, "validCommitCommands"
 */
export function applyChanges(config: ContainerConfig, changes: readonly string[]): ContainerConfig {
  let cmdIsSet = false;
  let current = config;
  for (const change of changes) {
    const instruction = readChange(change);
    current = { ...current, ...changed(current, instruction, change) };
    if (instruction.kind === 'cmd') cmdIsSet = true;
    // An entrypoint gets its arguments from a CMD of the same list, never from the image that is changed.
    if (instruction.kind === 'entrypoint' && !cmdIsSet) current = withoutCmd(current);
  }
  return current;
}

function withoutCmd({ Cmd: _, ...rest }: ContainerConfig): ContainerConfig {
  return rest;
}

function readChange(text: string): Instruction {
  const { value, diagnostics } = parseInstruction(text, { file: '--change', escape: '\\' });
  const error = diagnostics.find(({ severity }) => severity === 'error');
  if (!value || hasErrors(diagnostics)) {
    throw new BerthError('invalid', `invalid change ${JSON.stringify(text)}: ${error?.message ?? 'no instruction'}`, {
      ...(error?.hint === undefined ? {} : { hint: error.hint }),
    });
  }
  return value;
}

function changed(config: ContainerConfig, instruction: Instruction, text: string): ContainerConfig {
  const one = (word: Word) => settled(expandWord(word.text, lookupIn(config)), text);
  const pairs = (list: readonly { readonly key: Word; readonly value: Word }[]) =>
    list.map(({ key, value }): [string, string] => [one(key), one(value)]);
  switch (instruction.kind) {
    case 'cmd':
      return { Cmd: argvOf(config, instruction.command) };
    case 'entrypoint':
      return { Entrypoint: argvOf(config, instruction.command) };
    case 'env':
      return { Env: pairs(instruction.pairs).reduce(withVariable, config.Env ?? []) };
    case 'label':
      return { Labels: { ...config.Labels, ...Object.fromEntries(pairs(instruction.pairs)) } };
    case 'expose': {
      const words = instruction.ports.flatMap((word) => {
        const expanded = expandWords(word.text, lookupIn(config));
        settled({ value: '', errors: expanded.errors }, text);
        return expanded.words;
      });
      return { ExposedPorts: { ...config.ExposedPorts, ...emptySet(words.flatMap((word) => portsOf(word, text))) } };
    }
    case 'volume':
      return { Volumes: { ...config.Volumes, ...emptySet(instruction.paths.map(one)) } };
    case 'user':
      return { User: one(instruction.user) };
    case 'workdir':
      return { WorkingDir: posix.resolve('/', config.WorkingDir ?? '/', one(instruction.path)) };
    case 'stopsignal':
      return { StopSignal: one(instruction.signal) };
    case 'onbuild':
      return { OnBuild: [...(config.OnBuild ?? []), instruction.text.text] };
    case 'healthcheck':
      return { Healthcheck: healthcheckOf(instruction, text) };
    default:
      throw new BerthError('invalid', `${instruction.keyword.text.toUpperCase()} is not a valid change command`, {
        hint: 'use CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME or WORKDIR',
      });
  }
}

function lookupIn({ Env }: ContainerConfig) {
  const lookup = (name: string) => Env?.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
  return { escape: '\\', lookup } as const;
}

function settled(expansion: { value: string; errors: readonly { message: string }[] }, text: string): string {
  const [error] = expansion.errors;
  if (error !== undefined) throw badChange(text, error.message);
  return expansion.value;
}

function argvOf({ Shell }: ContainerConfig, command: Command): readonly string[] {
  if (command.form === 'exec') return command.argv.map((word) => word.text);
  return [...(Shell ?? ['/bin/sh', '-c']), command.text.text];
}

function withVariable(env: readonly string[], [name, value]: readonly [string, string]): readonly string[] {
  const at = env.findIndex((entry) => entry.startsWith(`${name}=`));
  return at < 0 ? [...env, `${name}=${value}`] : env.with(at, `${name}=${value}`);
}

function emptySet(keys: readonly string[]): Readonly<Record<string, Record<string, never>>> {
  return Object.fromEntries(keys.map((key) => [key, {}]));
}

/** `80`, `80/udp`, `8000-8010`, as keys of ExposedPorts. */
function portsOf(word: string, text: string): readonly string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(word);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || last > 65535 || last < first) throw badChange(text, `invalid port ${JSON.stringify(word)}`);
  const protocol = match[3]?.toLowerCase() ?? 'tcp';
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`);
}

function healthcheckOf(instruction: Extract<Instruction, { kind: 'healthcheck' }>, text: string): Healthcheck {
  const { command } = instruction;
  if (command === null) return { Test: ['NONE'] };
  const duration = (word: Word | undefined): number => {
    if (word === undefined) return 0;
    if (!isDuration(word.text)) throw badChange(text, `invalid duration ${JSON.stringify(word.text)}`);
    return parseDuration(word.text);
  };
  const retries = Number(instruction.retries?.text ?? 0);
  if (!Number.isInteger(retries) || retries < 0) throw badChange(text, 'the number of retries is no whole number');
  const check: Healthcheck = {
    Test: command.form === 'exec' ? ['CMD', ...command.argv.map((w) => w.text)] : ['CMD-SHELL', command.text.text],
    Interval: duration(instruction.interval),
    Timeout: duration(instruction.timeout),
    StartPeriod: duration(instruction.startPeriod),
    StartInterval: duration(instruction.startInterval),
    Retries: retries,
  };
  return Object.fromEntries(Object.entries(check).filter(([, value]) => value !== 0));
}

function badChange(text: string, why: string): BerthError {
  return new BerthError('invalid', `invalid change ${JSON.stringify(text)}: ${why}`);
}

import { posix } from 'node:path';
import { nearest } from '../../diagnostics/index.ts';
import { assertNever } from '../../errors/index.ts';
import type { Healthcheck } from '../../oci/index.ts';
import type { ArgInstruction, Command, HealthcheckInstruction, Instruction, KeyValue, Word } from '../../parser/ir.ts';
import { isDuration, parseDuration } from '../../units/index.ts';
import { finding } from '../findings.ts';
import { parseExpose } from './expose.ts';
import { healthcheckText, plainList, quotedList } from './history.ts';
import { isSignal, signalNames } from './signal.ts';
import { type Applying, addConfigStep, addLayerStep, type StageState } from './stage-state.ts';

export const DEFAULT_SHELL = ['/bin/sh', '-c'];
const MILLISECOND = 1e6;

/** Instructions that change the image's configuration, and WORKDIR. */
export type ConfigInstruction = Exclude<Instruction, { kind: 'run' | 'copy' | 'add' | 'from' }>;

/** Folds one instruction into the stage's configuration and history. */
export function applyConfig(applying: Applying<ConfigInstruction>): void {
  const text = foldConfig(applying);
  if (text !== undefined) addConfigStep(applying.stage, text);
}

/** @returns history text; undefined when the instruction has no entry, or its own */
function foldConfig(applying: Applying<ConfigInstruction>): string | undefined {
  const { stage, instruction, words } = applying;
  const { config } = stage;
  const report = stage.planning.report;
  switch (instruction.kind) {
    case 'env': {
      const pairs = expandPairs(applying, instruction.pairs);
      for (const [name, value] of pairs) {
        config.Env = withEnv(config.Env ?? [], name, value);
        stage.scope.setEnv(name, value);
      }
      return `ENV ${pairs.map((pair) => pair.join('=')).join(' ')}`;
    }
    case 'label': {
      const pairs = expandPairs(applying, instruction.pairs);
      config.Labels = { ...config.Labels, ...Object.fromEntries(pairs) };
      return `LABEL ${pairs.map((pair) => pair.join('=')).join(' ')}`;
    }
    case 'arg':
      return `ARG ${declareArgs(applying, instruction).join(' ')}`;
    case 'workdir':
      return applyWorkdir(applying as Applying, words.one(instruction.path));
    case 'user': {
      const user = words.one(instruction.user);
      config.User = user;
      return `USER ${user}`;
    }
    case 'expose': {
      const ports = instruction.ports.flatMap((word) => exposedPorts(applying, word)).sort();
      const unique = [...new Set(ports)];
      if (unique.length > 0) {
        config.ExposedPorts = { ...config.ExposedPorts, ...Object.fromEntries(unique.map((port) => [port, {}])) };
      }
      return plainList('EXPOSE', unique);
    }
    case 'volume': {
      const paths = instruction.paths.map((word) => words.one(word));
      const blank = paths.indexOf('');
      if (blank >= 0)
        report(finding('build/bad-value', instruction.paths[blank]!.span, 'a volume path cannot be empty'));
      config.Volumes = { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) };
      return plainList('VOLUME', paths);
    }
    case 'cmd': {
      const argv = commandArgv(stage, instruction.command);
      config.Cmd = argv;
      config.ArgsEscaped = true;
      stage.cmdIsOwn = true;
      return quotedList('CMD', argv);
    }
    case 'entrypoint': {
      const argv = commandArgv(stage, instruction.command);
      config.Entrypoint = argv;
      if (!stage.cmdIsOwn) delete config.Cmd;
      return quotedList('ENTRYPOINT', argv);
    }
    case 'shell': {
      config.Shell = instruction.argv.map((word) => word.text);
      return plainList('SHELL', config.Shell);
    }
    case 'stopsignal': {
      const signal = words.one(instruction.signal);
      if (!isSignal(signal)) {
        const close = nearest(signal, signalNames());
        report(
          finding(
            'build/bad-signal',
            instruction.signal.span,
            `unknown signal: ${signal}`,
            close && `did you mean ${close}?`,
          ),
        );
      }
      config.StopSignal = signal;
      return `STOPSIGNAL ${signal}`;
    }
    case 'healthcheck': {
      const check = healthcheckOf(applying, instruction);
      config.Healthcheck = check;
      return healthcheckText(check);
    }
    case 'maintainer':
      stage.author = instruction.name.text;
      return `MAINTAINER ${instruction.name.text}`;
    case 'onbuild':
      config.OnBuild = [...(config.OnBuild ?? []), triggerText(instruction)];
      return undefined;
    default:
      return assertNever(instruction);
  }
}

/** Shell form through SHELL; exec form as it is. */
export function commandArgv(stage: StageState, command: Command): string[] {
  if (command.form === 'exec') return command.argv.map((word) => word.text);
  return [...(stage.config.Shell ?? DEFAULT_SHELL), command.text.text];
}

/** Replaces a variable where it stands, or appends it. */
export function withEnv(env: readonly string[], name: string, value: string): string[] {
  const at = env.findIndex((entry) => entry.startsWith(`${name}=`));
  return at < 0 ? [...env, `${name}=${value}`] : env.with(at, `${name}=${value}`);
}

/** All values of one instruction are expanded before any of them counts. */
function expandPairs({ words }: Applying, pairs: readonly KeyValue[]): [string, string][] {
  return pairs.map(({ key, value }) => [words.one(key), words.one(value)]);
}

function declareArgs({ stage, words }: Applying, { args }: ArgInstruction): string[] {
  const { buildArgs } = stage.planning.options;
  return args.map(({ name, value }) => {
    const given = Object.hasOwn(buildArgs, name.text) ? buildArgs[name.text] : undefined;
    const own = given ?? (value === undefined ? undefined : words.one(value));
    const effective = own ?? stage.planning.globals.get(name.text);
    stage.scope.declareArg(name.text, effective);
    return effective === undefined ? name.text : `${name.text}=${effective}`;
  });
}

function applyWorkdir(applying: Applying, path: string): string | undefined {
  const { stage } = applying;
  const absolute = path.startsWith('/') ? path : posix.join('/', stage.config.WorkingDir ?? '/', path);
  stage.config.WorkingDir = absolute;
  const place = posix.normalize(absolute).replace(/(.)\/$/, '$1');
  if (absolute === '/') return 'WORKDIR /';
  const op = { kind: 'mkdir', parent: stage.head, path: place, user: stage.config.User ?? '' } as const;
  addLayerStep(applying, op, `WORKDIR ${absolute}`, { marked: false });
  return undefined;
}

function exposedPorts({ stage, words }: Applying, word: Word): readonly string[] {
  return words.many(word).flatMap((text) => {
    const parsed = parseExpose(text);
    if (!parsed.ok) {
      stage.planning.report(
        finding('build/bad-port', word.span, `invalid port ${JSON.stringify(text)}: ${parsed.why}`),
      );
      return [];
    }
    if (parsed.dropped) {
      stage.planning.report(
        finding(
          'build/port-host-part',
          word.span,
          `EXPOSE names ports of the container: the host part of ${text} is ignored`,
        ),
      );
    }
    return parsed.ports;
  });
}

function healthcheckOf({ stage }: Applying, instruction: HealthcheckInstruction): Healthcheck {
  const { report } = stage.planning;
  if (instruction.command === null) return { Test: ['NONE'] };
  const duration = (word: Word | undefined): number => {
    if (word === undefined) return 0;
    if (!isDuration(word.text)) {
      report(
        finding(
          'build/bad-value',
          word.span,
          `invalid duration: ${word.text}`,
          'write a number with a unit, as 1m30s or 500ms',
        ),
      );
      return 0;
    }
    const ns = parseDuration(word.text);
    if (ns < 0 || (ns > 0 && ns < MILLISECOND))
      report(finding('build/bad-value', word.span, `${word.text} is less than 1ms`));
    return ns;
  };
  const retries = Number(instruction.retries?.text ?? 0);
  if (instruction.retries && !(Number.isInteger(retries) && retries >= 0)) {
    report(
      finding('build/bad-value', instruction.retries.span, `${instruction.retries.text} is not a number of retries`),
    );
  }
  const { command } = instruction;
  const check = {
    Test:
      command.form === 'exec' ? ['CMD', ...command.argv.map((word) => word.text)] : ['CMD-SHELL', command.text.text],
    Interval: duration(instruction.interval),
    Timeout: duration(instruction.timeout),
    StartPeriod: duration(instruction.startPeriod),
    StartInterval: duration(instruction.startInterval),
    Retries: retries,
  };
  return Object.fromEntries(Object.entries(check).filter(([, value]) => value !== 0)) as Healthcheck;
}

/** What a child image reads back: the instruction's text with the bodies of its heredocs. */
function triggerText({ text, heredocs, instruction }: Extract<Instruction, { kind: 'onbuild' }>): string {
  const bodies = heredocs.length > 0 ? heredocs : instruction.heredocs;
  if (bodies.length === 0 || text.text.includes('\n')) return text.text;
  return [text.text, ...bodies.map((heredoc) => `${heredoc.content}${heredoc.name}`)].join('\n');
}

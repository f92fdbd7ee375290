import { nearest } from '../../diagnostics/index.ts';
import type { InstructionNode } from '../instruction-node.ts';
import { type InstructionName, instructionNamed, instructionNames, instructions } from '../instruction-table.ts';
import type { Instruction } from '../ir.ts';
import type { Report } from '../report.ts';
import type { EscapeToken } from '../words/shell-lex.ts';
import { lowerArg } from './arg.ts';
import { checkWords } from './check-words.ts';
import { lowerCmd, lowerEntrypoint, lowerShell } from './command.ts';
import { type Lower, type LowerContext, readFlags } from './context.ts';
import { lowerFrom } from './from.ts';
import { lowerHealthcheck } from './healthcheck.ts';
import { lowerExpose, lowerVolume } from './lists.ts';
import { lowerOnbuild } from './onbuild.ts';
import { lowerEnv, lowerLabel } from './pairs.ts';
import { lowerRun } from './run.ts';
import { lowerMaintainer, lowerStopsignal, lowerUser, lowerWorkdir } from './text.ts';
import { lowerAdd, lowerCopy } from './transfer.ts';

const LOWER: Readonly<Record<Exclude<InstructionName, 'ONBUILD'>, Lower>> = {
  ADD: lowerAdd,
  ARG: lowerArg,
  CMD: lowerCmd,
  COPY: lowerCopy,
  ENTRYPOINT: lowerEntrypoint,
  ENV: lowerEnv,
  EXPOSE: lowerExpose,
  FROM: lowerFrom,
  HEALTHCHECK: lowerHealthcheck,
  LABEL: lowerLabel,
  MAINTAINER: lowerMaintainer,
  RUN: lowerRun,
  SHELL: lowerShell,
  STOPSIGNAL: lowerStopsignal,
  USER: lowerUser,
  VOLUME: lowerVolume,
  WORKDIR: lowerWorkdir,
};

export interface LowerOptions {
  readonly report: Report;
  readonly escape: EscapeToken;
  /** Line of the instruction before, when an unknown word may be meant to continue it. */
  readonly previousLine?: number | undefined;
}

/** One instruction's node as IR. Null when an error leaves nothing to go on with; all errors are reported. */
export function lowerInstruction(node: InstructionNode, options: LowerOptions): Instruction | null {
  const { report } = options;
  const { name, keyword } = node;
  if (!name) {
    const meant = nearest(keyword.text, instructionNames);
    report('dockerfile/unknown-instruction', keyword.span, {
      name: keyword.text,
      nearest: meant,
      line: options.previousLine,
      value: options.escape,
      instruction: instructionNamed(/^\S+/.exec(node.args[0]?.text ?? '')?.[0] ?? ''),
    });
    return null;
  }
  const flags = readFlags(node, name, report);
  const context: LowerContext = { report, escape: options.escape, name, spec: instructions[name], flags };
  if (name === 'ONBUILD') return lowerOnbuild(node, context, (trigger) => lowerInstruction(trigger, options));
  const instruction = LOWER[name](node, context);
  if (instruction) checkWords(instruction, { report, escape: options.escape, source: node.logical.source });
  return instruction;
}

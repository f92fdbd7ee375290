import { type Diagnostic, nearest } from '../../diagnostics/index.ts';
import type { Dockerfile, Stage } from '../../parser/ir.ts';
import { finding } from '../findings.ts';

/** The stage to build: the last one, or the one of that name. The latest wins when a name is used twice. */
export function findTarget(dockerfile: Dockerfile, name: string | undefined): Stage | Diagnostic | undefined {
  const { stages } = dockerfile;
  if (name === undefined || name === '') return stages.at(-1);
  const found = stageByName(stages, name);
  if (found || stages.length === 0) return found;
  const names = stages.flatMap((stage) => stage.name ?? []);
  const close = nearest(name, names);
  return finding(
    'build/unknown-target',
    stages[0]!.from.span,
    `target stage ${JSON.stringify(name)} could not be found`,
    close
      ? `did you mean ${close}?`
      : names.length > 0
        ? `the stages are ${names.join(', ')}`
        : 'no stage has a name: write FROM ... AS name',
  );
}

/** The latest stage of that name, among those before `before`. */
export function stageByName(stages: readonly Stage[], name: string, before = stages.length): Stage | undefined {
  const wanted = name.toLowerCase();
  return stages.slice(0, before).findLast((stage) => stage.name === wanted);
}

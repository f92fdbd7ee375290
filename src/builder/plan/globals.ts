import type { Diagnostic } from '../../diagnostics/index.ts';
import type { Dockerfile } from '../../parser/ir.ts';
import { finding } from '../findings.ts';
import type { PlanOptions } from './options.ts';
import { platformArgs } from './platform.ts';
import { Words } from './words.ts';

const EPOCH = 'SOURCE_DATE_EPOCH';

/** What FROM lines see: the platform ARGs and the ARGs before the first FROM; `--build-arg` wins over both. */
export function globalScope(
  dockerfile: Dockerfile,
  options: PlanOptions,
  target: string | undefined,
  report: (diagnostic: Diagnostic) => void,
): Map<string, string> {
  const { buildArgs, platform, buildPlatform = platform } = options;
  const globals = platformArgs(buildPlatform, platform, target);
  for (const name of globals.keys()) if (Object.hasOwn(buildArgs, name)) globals.set(name, buildArgs[name]!);
  const words = new Words(dockerfile.escape, (name) => globals.get(name), report);
  for (const { args } of dockerfile.globalArgs) {
    for (const { name, value } of args) {
      const given = Object.hasOwn(buildArgs, name.text) ? buildArgs[name.text] : undefined;
      const effective = given ?? (value && words.one(value));
      if (effective !== undefined) globals.set(name.text, effective);
    }
  }
  return globals;
}

/** Seconds: the request's own, else the build argument's, else a global ARG's. */
export function epochOf(
  options: PlanOptions,
  globals: ReadonlyMap<string, string>,
  dockerfile: Dockerfile,
  report: (diagnostic: Diagnostic) => void,
): number | undefined {
  const text = options.buildArgs[EPOCH] ?? globals.get(EPOCH);
  if (options.sourceDateEpoch !== undefined) return options.sourceDateEpoch;
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  const span =
    dockerfile.globalArgs.find(({ args }) => args.some(({ name }) => name.text === EPOCH))?.span ??
    dockerfile.stages[0]?.from.span;
  if (span)
    report(finding('build/bad-epoch', span, `invalid SOURCE_DATE_EPOCH: ${text}`, 'give whole seconds since 1970'));
  return undefined;
}

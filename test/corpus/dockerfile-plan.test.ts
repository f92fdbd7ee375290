import { describe, expect, it } from 'vitest';
import { type BaseImage, type BuildPlan, planBuild } from '../../src/builder/index.ts';
import { type Diagnostic, hasErrors } from '../../src/diagnostics/index.ts';
import { type ChainId, type Digest, type ImageConfig, parsePlatform, sha256 } from '../../src/oci/index.ts';
import { parseDockerfile } from '../../src/parser/index.ts';
import { jsonLines } from './dockerfile-corpus.ts';

interface Case {
  readonly id: string;
  readonly dockerfile: string;
  readonly build_args?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly platform?: string;
  readonly base_configs?: Readonly<Record<string, ImageConfig>>;
  readonly image?: ImageConfig;
  readonly vertices?: readonly string[];
  readonly build_error?: string;
  readonly parse_error?: string;
  readonly instruction_error?: string;
}

/** What any base image is that a case does not describe. */
const BASE = {
  architecture: 'amd64',
  os: 'linux',
  config: {
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    Cmd: ['/bin/sh'],
    WorkingDir: '/',
  },
  rootfs: { type: 'layers', diff_ids: [`sha256:${'a'.repeat(64)}`] },
  history: [{ created_by: 'BASE' }],
} as unknown as ImageConfig;

const cases = jsonLines<Case>('frontend-cases.jsonl');

/** Errors of the lint rules (`check=error=true`): the linter's business, not the planner's. */
const isLint = ({ build_error: error = '' }: Case) =>
  error.startsWith('lint violation') || error.startsWith('failed to parse check');

function plan({ dockerfile, build_args, labels, target, platform, base_configs }: Case) {
  const parsed = parseDockerfile(dockerfile);
  const diagnostics = [...parsed.diagnostics];
  const images = new Map<string, BaseImage | null>();
  let value: BuildPlan | null = null;
  while (!hasErrors(diagnostics)) {
    const planned = planBuild(parsed.value, {
      buildArgs: build_args ?? {},
      labels: labels ?? {},
      platform: parsePlatform(platform ?? 'linux/amd64'),
      buildPlatform: parsePlatform('linux/amd64'),
      network: 'default',
      images,
      ...(target === undefined ? {} : { target }),
    });
    for (const name of planned.needs) {
      const config = base_configs?.[name] ?? BASE;
      images.set(name, { id: sha256(name), config, chain: config.rootfs.diff_ids[0] as Digest as ChainId });
    }
    if (planned.needs.length > 0) continue;
    diagnostics.push(...planned.diagnostics);
    value = planned.value;
    break;
  }
  return { value, diagnostics };
}

/** The parts of a config that exist before any layer does, without what is empty. */
function comparable(config: unknown): unknown {
  return JSON.parse(
    JSON.stringify(config, (key, value) => {
      if (key === 'created' || key === 'diff_ids') return undefined;
      const isEmpty = value !== null && typeof value === 'object' && Object.keys(value).length === 0;
      return isEmpty && !key.includes('/') ? undefined : value;
    }),
  );
}

function imageOf({ target }: BuildPlan): unknown {
  const { base, platform, config, author, steps } = target;
  return {
    ...platform,
    ...(author === undefined ? {} : { author }),
    config,
    rootfs: { type: 'layers' },
    history: [...(base?.config.history ?? []), ...steps.map(({ entry }) => entry)],
  };
}

const errorsOf = (diagnostics: readonly Diagnostic[]) => diagnostics.filter(({ severity }) => severity === 'error');

/**
 * The steps that people see, as a set of words. Left out: what the reference calls its own work (`[internal]`, `LINK`),
 * its numbers (it counts triggers and steps without a layer, as in `[dep 3/2]`), quotes and unset variables (it drops
 * them, we show what is written), and letter case (it shouts what follows a tab).
 */
const steps = (names: readonly string[]) =>
  [...new Set(names.filter((name) => !/^\[internal\]|\] LINK /.test(name)).map(words))].sort();

const words = (name: string) =>
  name
    .replace(/^\[[^\]]*\] /, '')
    .replace(/["\s]|\$\w+/g, '')
    .toLowerCase();

function stepNames({ graph, target }: BuildPlan): string[] {
  const seen = new Set<string>();
  const visit = (id: string): void => {
    if (seen.has(id)) return;
    seen.add(id);
    for (const input of graph.nodes.get(id as Digest)!.inputs) visit(input);
  };
  if (target.head !== null) visit(target.head);
  return [...seen].map((id) => graph.display.get(id as Digest)!.name);
}

describe('the plan of a Dockerfile, beside the reference', () => {
  const accepted = cases.filter((item) => item.image);
  const refused = cases.filter((item) => !item.image && !isLint(item));

  it('has all cases', () => {
    expect([accepted.length, refused.length, cases.filter(isLint).length]).toEqual([304, 125, 4]);
  });

  it.each(accepted)('$id gives the same image', (item) => {
    const { value, diagnostics } = plan(item);
    expect(errorsOf(diagnostics)).toEqual([]);
    expect(comparable(imageOf(value!))).toEqual(comparable(item.image));
  });

  it.each(accepted.filter((item) => item.vertices))('$id shows the same steps', (item) => {
    expect(steps(stepNames(plan(item).value!))).toEqual(steps(item.vertices!));
  });

  it.each(refused)('$id is refused', (item) => {
    const { value, diagnostics } = plan(item);
    expect({ value, hasErrors: hasErrors(diagnostics) }).toEqual({ value: null, hasErrors: true });
  });

  const placed = refused.filter((item) => /on line \d/.test(reasonOf(item)));
  it.each(placed)('$id is refused at the same line', (item) => {
    const line = Number(/on line (\d+)/.exec(reasonOf(item))![1]);
    expect(errorsOf(plan(item).diagnostics)[0]?.span.start.line).toBe(line);
  });
});

function reasonOf({ parse_error, instruction_error, build_error }: Case): string {
  return parse_error ?? instruction_error ?? build_error ?? '';
}

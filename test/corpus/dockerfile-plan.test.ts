import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type BaseImage, type BuildPlan, planBuild } from '../../src/builder/index.ts';
import { type Diagnostic, hasErrors } from '../../src/diagnostics/index.ts';
import { type ChainId, type Digest, type ImageConfig, parsePlatform, sha256 } from '../../src/oci/index.ts';
import { parseDockerfile } from '../../src/parser/index.ts';

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

const cases = readFileSync(new URL('../../../shared/corpus/dockerfile/frontend-cases.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

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

const errorCodes = (diagnostics: readonly Diagnostic[]) => [
  ...new Set(diagnostics.filter(({ severity }) => severity === 'error').map(({ code }) => code)),
];

describe('the plan of a Dockerfile, beside the reference', () => {
  const accepted = cases.filter((item) => item.image);
  // Told apart by our own answer, and counted, so that none passes unnoticed.
  const isPending = (item: Case) => errorCodes(plan(item).diagnostics).includes('build/not-supported-yet');
  const pending = accepted.filter(isPending);

  it.each(accepted.filter((item) => !isPending(item)).map((item) => [item.id, item] as const))(
    '%s gives the same image',
    (_id, item) => {
      const { value, diagnostics } = plan(item);
      expect(errorCodes(diagnostics)).toEqual([]);
      expect(comparable(imageOf(value!))).toEqual(comparable(item.image));
    },
  );

  it('refuses what it cannot do yet, for that reason only: mounts with state, devices, ADD from afar', () => {
    expect(pending.map((item) => [item.id, errorCodes(plan(item).diagnostics)])).toEqual(
      pending.map((item) => [item.id, ['build/not-supported-yet']]),
    );
    expect(pending.length).toBeLessThanOrEqual(40);
  });

  const refused = cases.filter((item) => !item.image && !isLint(item));
  it.each(refused.map((item) => [item.id, item] as const))('%s is refused', (_id, item) => {
    const { value, diagnostics } = plan(item);
    expect({ value, hasErrors: hasErrors(diagnostics) }).toEqual({ value: null, hasErrors: true });
  });
});

import { describe, expect, it } from 'vitest';
import { canonicalName, type ImageConfig, parsePlatform, parseReference, withDefaultTag } from '../../src/oci/index.ts';
import { checkText } from '../../src/parser/index.ts';
import { baseImage, type FrontendCase, jsonLines } from './dockerfile-corpus.ts';

interface Finding {
  readonly rule: string;
  readonly detail: string;
  readonly lines: readonly (readonly number[])[];
}

interface LintCase extends FrontendCase {
  readonly build_args?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly platform?: string;
  readonly base_configs?: Readonly<Record<string, ImageConfig>>;
  readonly lint?: readonly Finding[];
}

const cases = jsonLines<LintCase>('frontend-cases.jsonl');

function check({ dockerfile, build_args = {}, target, platform, base_configs }: LintCase) {
  return checkText(dockerfile, {
    buildArgs: build_args,
    platform: parsePlatform(platform ?? 'linux/amd64'),
    buildPlatform: parsePlatform('linux/amd64'),
    baseConfigs: (name) => {
      try {
        return base_configs?.[canonicalName(withDefaultTag(parseReference(name)))] ?? baseImage;
      } catch {
        return undefined;
      }
    },
    ...(target === undefined ? {} : { target }),
  });
}

describe('what the reference front end warns of', () => {
  it.each(cases)('$id: the same findings', (row) => {
    expect(sorted(check(row).findings)).toEqual(sorted(row.lint ?? []));
  });

  it.each(cases.filter(({ build_error = '' }) => build_error.startsWith('lint violation')))(
    '$id: findings are errors',
    (row) => {
      expect(check(row).failed).toBe(true);
    },
  );
});

function sorted(findings: readonly Finding[]): string[] {
  return findings.map(({ rule, detail, lines }) => JSON.stringify({ rule, detail, lines })).sort();
}

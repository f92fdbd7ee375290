import { type BaseImage, planBuild } from '../../src/builder/index.ts';
import { type Diagnostic, hasErrors, printDiagnostic } from '../../src/diagnostics/index.ts';
import { type ChainId, type Digest, type ImageConfig, parsePlatform, sha256 } from '../../src/oci/index.ts';
import {
  checkText,
  createIgnoreMatcher,
  parseDockerfile,
  parseIgnore,
  parseInstruction,
} from '../../src/parser/index.ts';
import type { ExampleOptions } from './example.ts';

export interface Ran {
  readonly diagnostics: readonly Diagnostic[];
  /** As `berth build --check` shows them. */
  readonly frames: string;
}

/** Reads and checks a text the way its code is found. */
export function runExample(code: string, text: string, options: ExampleOptions = {}): Ran {
  const { diagnostics, source } = examine(code, text, options);
  return { diagnostics, frames: diagnostics.map((diagnostic) => printDiagnostic(diagnostic, source)).join('\n\n') };
}

function examine(code: string, text: string, options: ExampleOptions) {
  if (options.asChange) return parseInstruction(text, { file: '--change', allowed: ['CMD', 'ENV'] });
  if (code.startsWith('build/')) return plan(text, options);
  const { buildArgs = {}, platform = 'linux/amd64', ignore } = options;
  const { diagnostics, parsed } = checkText(text, {
    buildArgs,
    platform: parsePlatform(platform),
    buildPlatform: parsePlatform('linux/amd64'),
    baseConfigs: () => imageConfig(options),
    ...(ignore === undefined ? {} : { ignore: createIgnoreMatcher(parseIgnore(ignore)) }),
  });
  return { diagnostics, source: parsed.source };
}

function plan(text: string, options: ExampleOptions) {
  const parsed = parseDockerfile(text);
  const platform = parsePlatform(options.platform ?? 'linux/amd64');
  const images = new Map<string, BaseImage | null>();
  for (;;) {
    const planned = planBuild(parsed.value, {
      buildArgs: options.buildArgs ?? {},
      labels: {},
      platform,
      network: 'default',
      images,
      ...(options.target === undefined ? {} : { target: options.target }),
    });
    if (planned.needs.length === 0 || hasErrors(parsed.diagnostics)) {
      return { diagnostics: [...parsed.diagnostics, ...planned.diagnostics], source: parsed.source };
    }
    for (const name of planned.needs) images.set(name, baseImage(name, options));
  }
}

function baseImage(name: string, options: ExampleOptions): BaseImage {
  const config = imageConfig(options);
  return { id: sha256(name), config, chain: config.rootfs.diff_ids[0] as Digest as ChainId };
}

function imageConfig({ imagePlatform, platform = 'linux/amd64', imageTriggers }: ExampleOptions): ImageConfig {
  const { os, architecture } = parsePlatform(imagePlatform ?? platform);
  return {
    os,
    architecture,
    config: { Env: ['PATH=/usr/bin:/bin'], ...(imageTriggers ? { OnBuild: imageTriggers } : {}) },
    rootfs: { type: 'layers', diff_ids: [sha256('base')] },
  } as unknown as ImageConfig;
}

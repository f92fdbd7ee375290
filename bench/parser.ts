import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type BaseImage, planBuild } from '../src/builder/index.ts';
import type { ChainId, Digest, ImageConfig } from '../src/oci/index.ts';
import { sha256 } from '../src/oci/index.ts';
import { checkText, type Dockerfile, parseDockerfile } from '../src/parser/index.ts';

/**
 * Measures the front end alone: warm time of a 200-line Dockerfile, growth with the number of lines, and what importing
 * it adds to a cold program, beside `node -e 0` of the same minute. `node bench/parser.ts`
 */
const INSTRUCTIONS = [
  'RUN apt-get update && apt-get install -y --no-install-recommends curl git',
  'ENV NAME_%=value OTHER="two words"',
  'COPY --chown=1000:1000 package.json src/%/ /app/',
  'LABEL org.example.part="%" version=$VERSION',
  'WORKDIR /app/%',
  'RUN --mount=type=cache,target=/root/.cache <<EOF\nmake -j4\nEOF',
  'EXPOSE 80%/tcp',
  'ARG OPTION_%=1',
];

export function dockerfileOf(lines: number): string {
  const parts = ['ARG VERSION=3.20', 'FROM alpine:$VERSION AS build', 'ARG VERSION'];
  let count = parts.length;
  for (let index = 0; count < lines; index++) {
    const text = INSTRUCTIONS[index % INSTRUCTIONS.length]!.replaceAll('%', String(index % 100));
    parts.push(text);
    count += text.split('\n').length;
  }
  return `${parts.join('\n')}\n`;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

function time(work: () => unknown): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}

function repeated(rounds: number, work: () => unknown): number {
  return median(Array.from({ length: rounds }, () => time(work)));
}

function warm(): void {
  const text = dockerfileOf(200);
  const all = () => {
    plan(checkText(text).parsed.value);
  };
  for (let round = 0; round < 300; round++) all();
  console.log(`200 lines, parsed:             ${repeated(200, () => parseDockerfile(text)).toFixed(2)} ms`);
  console.log(`200 lines, parsed and checked: ${repeated(200, () => checkText(text)).toFixed(2)} ms`);
  console.log(`200 lines, also planned:       ${repeated(200, all).toFixed(2)} ms (goal: 5)`);
}

function plan(dockerfile: Dockerfile): void {
  const layer = sha256('layer');
  const config = { os: 'linux', architecture: 'amd64', config: {}, rootfs: { type: 'layers', diff_ids: [layer] } };
  const base: BaseImage = {
    id: sha256('id'),
    config: config as unknown as ImageConfig,
    chain: layer as Digest as ChainId,
  };
  const platform = { os: 'linux', architecture: 'amd64' };
  const images = new Map([['docker.io/library/alpine:3.20', base]]);
  const { value } = planBuild(dockerfile, { buildArgs: {}, labels: {}, platform, network: 'default', images });
  if (!value) throw new Error('the Dockerfile of the bench cannot be planned');
}

function growth(): void {
  let before: number | undefined;
  for (const lines of [25_000, 50_000, 100_000, 200_000]) {
    const text = dockerfileOf(lines);
    const took = repeated(5, () => checkText(text));
    const ratio = before === undefined ? '' : `, ${(took / before).toFixed(2)} times the half (goal: at most 2.3)`;
    console.log(`${String(lines).padStart(7)} lines: ${took.toFixed(0)} ms${ratio}`);
    before = took;
  }
}

/** The parser as the program carries it: bundled, with the code cache of Node on, once without and once with a file to read. */
async function cold(): Promise<void> {
  const folder = mkdtempSync('/tmp/berth-parser-');
  try {
    const entry = fileURLToPath(new URL('../src/parser/index.ts', import.meta.url));
    const outfile = join(folder, 'parser.cjs');
    await build({
      entryPoints: [entry],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      minifySyntax: true,
      minifyWhitespace: true,
    });
    const cache = `require('node:module').enableCompileCache(${JSON.stringify(join(folder, 'cache'))});`;
    const programs: Record<string, string> = {
      'node -e 0': '',
      'the parser imported': `${cache}require('./parser.cjs');`,
      'and a file of 200 lines checked': `${cache}require('./parser.cjs').checkText(${JSON.stringify(dockerfileOf(200))});`,
    };
    const times = new Map<string, number[]>(Object.keys(programs).map((name) => [name, []]));
    for (const [index, text] of Object.values(programs).entries()) writeFileSync(join(folder, `${index}.cjs`), text);
    for (let round = 0; round < 25; round++) {
      for (const [index, name] of Object.keys(programs).entries()) {
        const args = index === 0 ? ['-e', '0'] : [join(folder, `${index}.cjs`)];
        const took = time(() => spawnSync(process.execPath, args, { stdio: 'ignore' }));
        if (round > 2) times.get(name)!.push(took);
      }
    }
    const floor = median(times.get('node -e 0')!);
    for (const [name, values] of times) {
      const took = median(values);
      console.log(`${name}: ${took.toFixed(1)} ms${took === floor ? '' : `, ${(took - floor).toFixed(1)} ms on top`}`);
    }
    console.log('(goal: importing costs at most 25 ms)');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

console.log(execFileSync(process.execPath, ['--version'], { encoding: 'utf8' }).trim());
warm();
growth();
await cold();

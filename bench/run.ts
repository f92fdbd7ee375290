import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { enterEngineNamespace } from '../src/runtime/index.ts';
import { berthProgram, Host } from '../test/support/host.ts';
import { noteHostState } from '../test/support/host-filters.ts';
import { dockerd, type Peer, podman } from '../test/support/peers.ts';
import { imageBench } from './images.ts';
import { BareCrun, describeMachine, memoryMb } from './machine.ts';
import { type Case, call, interleave, median, type Row, timeCommand, timeRun } from './measure.ts';
import { networkBench } from './networks.ts';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '.' },
    rounds: { type: 'string', default: '15' },
    scale: { type: 'string', default: '1' },
    'no-save': { type: 'boolean' },
  },
});
const checkout = fileURLToPath(new URL('..', import.meta.url));
const node = process.execPath;
const scratch = mkdtempSync('/tmp/berth-bench-');
const baseTar = execFileSync(join(checkout, 'test/support/make-base-image'), ['busybox'], { encoding: 'utf8' }).trim();

// Bare crun and podman refuse a hybrid cgroup host: the whole bench sees what the engine shows its runtime.
mkdirSync(join(scratch, 'run'));
enterEngineNamespace({ runFolder: join(scratch, 'run') });

const host = new Host({ env: { BERTH_IDLE_SECONDS: '600' } });
const bare = new BareCrun(baseTar);
const putBack = noteHostState();
const docker: Peer & { socket: string } = await dockerd({ networks: true });
const pod = podman();
await host.importBase('busybox');
await host.ok(['save', '-o', join(scratch, 'busybox.tar'), 'busybox']);
await docker.ok(['load', '-i', join(scratch, 'busybox.tar')]);
await pod.ok(['load', '-i', join(scratch, 'busybox.tar')]);

/** 20 steps: 10 RUN, 5 COPY, 5 others. The round in ENV makes everything after it new. */
function context(round: number | 'cached', who: string): string {
  const folder = join(scratch, `context-${who}`);
  mkdirSync(folder, { recursive: true });
  const steps = ['FROM busybox', `ENV ROUND=${who}-${round}`, 'WORKDIR /app'];
  for (let i = 0; i < 5; i++) {
    writeFileSync(join(folder, `file${i}`), `content ${i}\n`);
    steps.push(`COPY file${i} /app/`, `RUN echo ${i} > /app/a${i}`, `RUN echo ${i} > /app/b${i}`);
  }
  steps.push('LABEL a=b', 'CMD ["true"]');
  writeFileSync(join(folder, 'Dockerfile'), `${steps.join('\n')}\n`);
  return folder;
}

async function engineBuild(round: number): Promise<number> {
  const folder = context(round, 'berth');
  const began = performance.now();
  const reply = await call(
    host.socket,
    'POST',
    `/build?berth-events=1&t=cold&berth-context=${encodeURIComponent(folder)}`,
  );
  const took = performance.now() - began;
  if (!reply.includes('"ID":"sha256:')) throw new Error(reply.slice(-500));
  return took;
}

const podmanCommand = (args: readonly string[]) => timeCommand('podman', [...pod.prefix, ...args], pod.env);
/** After this long without a request the engine has given back what it does not need. */
const IDLE_MS = 5000;
const rounds = Number(options.rounds);
const few = Math.max(3, Math.round(rounds / 3));
const buildKit = { DOCKER_BUILDKIT: '1' };
const dockerBuild = (folder: string) =>
  timeCommand(
    '/usr/bin/docker',
    ['-H', `unix://${docker.socket}`, 'build', '-q', '--network', 'host', '-t', 'bench', folder],
    buildKit,
  );
const podmanBuild = (folder: string) => podmanCommand(['build', '-q', '--network', 'host', '-t', 'bench', folder]);
const nothing = { name: 'node -e 0', run: () => timeCommand(node, ['-e', '0']) };
const cachedBerth = context('cached', 'cached-berth');
const cachedDocker = context('cached', 'cached-docker');
const cachedPodman = context('cached', 'cached-podman');

const cases: Case[] = [
  {
    name: 'run --rm busybox true, no network: engine time from request to exit code',
    floor: 'bare crun run',
    goal: 3,
    rounds,
    contenders: [
      { name: 'bare crun run', run: () => bare.run(1) },
      { name: 'berth', run: () => timeRun(host.socket, 'busybox') },
      { name: 'dockerd', run: () => timeRun(docker.socket, 'busybox') },
      {
        name: 'podman (whole command)',
        run: () => podmanCommand(['run', '--rm', '--network', 'none', 'busybox', 'true']),
      },
    ],
  },
  {
    name: 'cold build, 20 steps (10 RUN, 5 COPY): engine time',
    floor: 'ten bare crun runs',
    goal: 3,
    rounds: few,
    contenders: [
      { name: 'ten bare crun runs', run: () => bare.run(10) },
      { name: 'berth', run: engineBuild },
      { name: 'dockerd BuildKit (whole command)', run: (round) => dockerBuild(context(round, 'docker')) },
      { name: 'podman (whole command)', run: (round) => podmanBuild(context(round, 'podman')) },
    ],
  },
  {
    name: 'the same build fully cached: whole command',
    floor: 'node -e 0',
    goal: 2,
    rounds,
    contenders: [
      nothing,
      { name: 'berth', run: () => timeCommand(berthProgram, ['build', '-q', '-t', 'bench', cachedBerth], host.env) },
      { name: 'dockerd BuildKit', run: () => dockerBuild(cachedDocker) },
      { name: 'podman', run: () => podmanBuild(cachedPodman) },
    ],
  },
  {
    name: 'ps: whole command',
    floor: 'node -e 0',
    goal: 1.6,
    rounds,
    contenders: [
      nothing,
      { name: 'berth', run: () => timeCommand(berthProgram, ['ps'], host.env) },
      { name: 'docker', run: () => timeCommand('docker', ['-H', `unix://${docker.socket}`, 'ps']) },
      { name: 'podman', run: () => podmanCommand(['ps']) },
    ],
  },
];

const images = imageBench({ scratch, host, docker, pod, rounds: few, scale: Number(options.scale) });
const networks = networkBench({ host, docker, pod, rounds });
const isSelected = ({ name }: Case) => new RegExp(options.only).test(name);

const report: {
  machine: Record<string, string>;
  cases: { name: string; goal?: number; rounds: number; rows: Row[] }[];
  memoryMb: Record<string, number>;
} = {
  machine: describeMachine(),
  cases: [],
  memoryMb: {},
};
try {
  if (images.cases.some(isSelected)) await images.prepare();
  if (networks.cases.some(isSelected)) await networks.prepare();
  for (const test of [...cases, ...networks.cases, ...images.cases].filter(isSelected)) {
    const rows = await interleave(test);
    report.cases.push({
      name: test.name,
      rounds: test.rounds,
      rows,
      ...(test.goal === undefined ? {} : { goal: test.goal }),
    });
    console.log(table(test.name, test.goal, rows));
  }
  report.memoryMb = { ...images.memoryMb(), ...(await memory()) };
  console.log(
    Object.entries(report.memoryMb)
      .map(([what, mb]) => `${what}: ${mb.toFixed(1)} MB`)
      .join('\n'),
  );
  if (!options['no-save']) save();
} finally {
  await images.dispose();
  await networks.dispose();
  await host.dispose();
  await pod.dispose();
  await docker.dispose();
  putBack();
  bare.dispose();
  rmSync(scratch, { recursive: true, force: true });
}

/** The idle engine after the work above, and what ten detached containers add: their supervisors and its growth. */
async function memory(): Promise<Record<string, number>> {
  const engine = host.enginePid()!;
  await delay(IDLE_MS);
  const before = memoryMb(engine).resident;
  const ids: string[] = [];
  for (let i = 0; i < 10; i++) ids.push((await host.ok(['run', '-d', 'busybox', 'sleep', '1000'])).trim());
  await delay(IDLE_MS);
  const grown = memoryMb(engine).resident - before;
  const pids = execFileSync('pgrep', ['-f', `conmon .*${host.runRoot}`], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number);
  const supervisors = pids.map(memoryMb);
  await host.ok(['rm', '-f', ...ids]);
  return {
    'engine, idle after the cases': before,
    'supervisor of a detached container, resident': median(supervisors.map(({ resident }) => resident)),
    'supervisor of a detached container, its share (PSS)': median(supervisors.map(({ share }) => share)),
    'growth of the engine for a detached container': Math.max(0, grown / ids.length),
  };
}

function table(name: string, goal: number | undefined, rows: readonly Row[]): string {
  const head = `\n### ${name}${goal === undefined ? '' : ` (goal: at most ${goal} times the floor)`}\n\n| | median ms | min | max | ratio | ratio of minima |\n|---|---|---|---|---|---|`;
  const lines = rows.map(
    (row) =>
      `| ${row.contender} | ${row.medianMs.toFixed(1)} | ${row.minMs.toFixed(1)} | ${row.maxMs.toFixed(1)} | ${row.ratio.toFixed(2)} | ${row.minRatio.toFixed(2)} |`,
  );
  return [head, ...lines].join('\n');
}

function save(): void {
  const folder = join(checkout, 'bench/results');
  mkdirSync(folder, { recursive: true });
  const isOfImages = report.cases.every(({ name: test }) => images.cases.some((one) => one.name === test));
  const name = `${report.machine['date']!.slice(0, 10)}${isOfImages ? '-images' : ''}`;
  const machine = Object.entries(report.machine).map(([what, text]) => `- ${what}: ${text}`);
  const memoryLines = Object.entries(report.memoryMb).map(([what, mb]) => `| ${what} | ${mb.toFixed(1)} |`);
  const markdown = [
    `# Bench of ${name}`,
    '',
    ...machine,
    '',
    `Medians of one interleaved run; repeat with \`npm run bench${isOfImages ? " -- --only '600 MB'" : ''}\`.`,
    ...report.cases.map((one) => table(one.name, one.goal, one.rows)),
    '\n### Resident memory\n\n| | MB |\n|---|---|',
    ...memoryLines,
  ];
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(folder, `${name}.md`), `${markdown.join('\n')}\n`);
}

import { spawn } from 'node:child_process';
import { request } from 'node:http';

/** One way of doing a case's work; `run` gives the milliseconds that count. */
export interface Contender {
  readonly name: string;
  run(round: number): Promise<number>;
}

export interface Case {
  readonly name: string;
  /** What the ratio is taken against; of several the fastest. */
  readonly floor: string | readonly string[];
  /** Largest ratio that the project promises for Berth, if it does. */
  readonly goal?: number;
  readonly rounds: number;
  readonly contenders: readonly Contender[];
}

export interface Row {
  readonly contender: string;
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly ratio: number;
  /** Of the minima: what a busy machine disturbs least. */
  readonly minRatio: number;
}

/** Runs all contenders in turn, round by round, after one round that does not count: drift hits all alike. */
export async function interleave(test: Case): Promise<Row[]> {
  const samples = new Map<string, number[]>(test.contenders.map(({ name }) => [name, []]));
  for (let round = -1; round < test.rounds; round++) {
    for (const contender of test.contenders) {
      const ms = await contender.run(round);
      if (round >= 0) samples.get(contender.name)!.push(ms);
    }
  }
  const floors = [test.floor].flat().map((name) => samples.get(name)!);
  const floor = Math.min(...floors.map(median));
  const minFloor = Math.min(...floors.flat());
  return test.contenders.map(({ name }) => {
    const all = samples.get(name)!;
    return {
      contender: name,
      medianMs: median(all),
      minMs: Math.min(...all),
      maxMs: Math.max(...all),
      ratio: median(all) / floor,
      minRatio: Math.min(...all) / minFloor,
    };
  });
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

/** Milliseconds of a whole command, from spawn to exit. It must succeed. */
export function timeCommand(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk;
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      const took = performance.now() - began;
      if (code === 0) resolve(took);
      else reject(new Error(`${program} ${args.join(' ')}: exit ${code}\n${errors}`));
    });
  });
}

/** One request to an engine's socket; resolves with the whole body. */
export function call(socketPath: string, method: string, path: string, body?: unknown): Promise<string> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const outgoing = request(
      {
        socketPath,
        method,
        path,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      },
      (reply) => {
        let all = '';
        reply.setEncoding('utf8');
        reply.on('data', (chunk: string) => {
          all += chunk;
        });
        reply.on('end', () => {
          if ((reply.statusCode ?? 500) < 400) resolve(all);
          else reject(new Error(`${method} ${path}: ${reply.statusCode} ${all}`));
        });
      },
    );
    outgoing.once('error', reject);
    outgoing.end(text);
  });
}

/** What the docker CLI asks for `run --rm IMAGE true`, without its start-up: from create to the exit code. */
export async function timeRun(socketPath: string, image: string, network = 'none'): Promise<number> {
  const began = performance.now();
  const created = await call(socketPath, 'POST', '/v1.41/containers/create', {
    Image: image,
    Cmd: ['true'],
    HostConfig: { NetworkMode: network, AutoRemove: true },
  });
  const { Id } = JSON.parse(created) as { Id: string };
  const exit = call(socketPath, 'POST', `/v1.41/containers/${Id}/wait?condition=next-exit`);
  await call(socketPath, 'POST', `/v1.41/containers/${Id}/start`);
  const { StatusCode } = JSON.parse(await exit) as { StatusCode: number };
  const took = performance.now() - began;
  if (StatusCode !== 0) throw new Error(`the container ended with ${StatusCode}`);
  return took;
}

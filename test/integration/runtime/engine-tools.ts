import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { BuildStep } from '../../../src/runtime/container/build-step.ts';
import type { Runtime } from '../../../src/runtime/container/index.ts';
import type { ContainerProcess, ContainerRequest } from '../../../src/runtime/container/start-container.ts';
import type { ExecProcess, ProcessStreams } from '../../../src/runtime/container/streams.ts';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What test functions find beside the runtime: short ways to do usual things. */
export function tools(runtime: Runtime, dataFolder: string) {
  const root = `${dataFolder}/root`;
  const logPath = (id: string) => `${dataFolder}/logs/${id}`;
  const request = (id: string, argv: readonly string[], change: Partial<ContainerRequest> = {}): ContainerRequest => ({
    id,
    runtime: 'crun',
    rootPath: root,
    readonlyRoot: false,
    argv,
    env: [],
    cwd: '/',
    user: '',
    hostname: 'box',
    tty: false,
    openStdin: false,
    stdinOnce: false,
    network: 'host',
    init: false,
    privileged: false,
    capAdd: [],
    capDrop: [],
    binds: [],
    tmpfs: [],
    shmSizeBytes: 64 * 1024 * 1024,
    ...change,
  });
  return {
    root,
    logPath,
    request,

    /** Runs a build step to its end. */
    async step(argv: readonly string[], change: Partial<BuildStep> = {}): Promise<Outcome> {
      const output = { stdout: '', stderr: '' };
      const code = await runtime.run(
        {
          id: `${basename(dirname(dataFolder))}-${Math.random()}`,
          argv,
          env: [],
          cwd: '/',
          user: '',
          hostname: 'buildbox',
          network: 'host',
          mounts: [],
          privileged: false,
          onOutput: (stream, chunk) => {
            output[stream] += chunk;
          },
          signal: new AbortController().signal,
          ...change,
        },
        { path: root },
      );
      return { code, ...output };
    },

    async collect(streams: ProcessStreams): Promise<{ stdout: string; stderr: string }> {
      const output = { stdout: '', stderr: '' };
      for await (const { stream, chunk } of streams.output) output[stream] += chunk;
      return output;
    },

    /** Resolves with what was written once it contains `text`; the rest is read and dropped. */
    async waitForOutput(streams: ProcessStreams, text: string): Promise<string> {
      let seen = '';
      const found = Promise.withResolvers<string>();
      void (async () => {
        for await (const { chunk } of streams.output) {
          seen += chunk;
          if (seen.includes(text)) found.resolve(seen);
        }
        found.reject(new Error(`ended without ${JSON.stringify(text)}: ${JSON.stringify(seen)}`));
      })();
      return await found.promise;
    },

    /** Creates and starts a container with one attached reader. */
    async start(
      id: string,
      argv: readonly string[],
      change: Partial<ContainerRequest> = {},
    ): Promise<{ process: ContainerProcess; streams: ProcessStreams }> {
      const process = await runtime.create(request(id, argv, change), logPath(id));
      const streams = await runtime.attach(id, process);
      await runtime.start(id, process);
      return { process, streams };
    },

    async exec(
      id: string,
      process: ContainerProcess,
      argv: readonly string[],
      change: object = {},
    ): Promise<ExecProcess> {
      const execId = Math.random().toString(16).slice(2).padEnd(64, '0');
      return await runtime.exec(id, process, {
        id: execId,
        argv,
        env: [],
        cwd: '/',
        user: '',
        tty: false,
        openStdin: false,
        privileged: false,
        ...change,
      });
    },

    async log(id: string): Promise<string> {
      let text = '';
      for await (const entry of runtime.readLog(logPath(id), { follow: false, tail: 'all' }))
        text += `${entry.stream}: ${entry.line}`;
      return text;
    },

    readText: (path: string) => readFileSync(path, 'utf8'),
  };
}

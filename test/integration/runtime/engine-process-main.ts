import { createInterface } from 'node:readline';
import { enterEngineNamespace, openRuntime } from '../../../src/runtime/container/index.ts';
import { tools } from './engine-tools.ts';

/**
 * A process that is to the runtime what the engine is: it has entered the namespace and runs functions that a test
 * sends as source text, one JSON line each way.
 */
const [runFolder = '', dataFolder = ''] = process.argv.slice(2);
enterEngineNamespace({ runFolder });
const runtime = await openRuntime({ runFolder, dataFolder, defaultRuntime: 'crun' });
const context = { runtime, ...tools(runtime, dataFolder) };

for await (const line of createInterface({ input: process.stdin })) {
  const { id, source, args } = JSON.parse(line) as { id: number; source: string; args: unknown };
  const run = new Function(`return (${source})`)() as (given: typeof context, args: unknown) => Promise<unknown>;
  run(context, args).then(
    (value) => answer({ id, value }),
    (error: Error & { kind?: string; hint?: string }) =>
      answer({
        id,
        error: { name: error.name, kind: error.kind, message: error.message, hint: error.hint, stack: error.stack },
      }),
  );
}
await runtime.close();

function answer(message: unknown): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

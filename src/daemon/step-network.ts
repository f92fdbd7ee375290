import type { RunStep, StepRunner } from '../builder/ports.ts';
import type { StepNetwork } from '../engine/index.ts';
import type { Runtime } from '../runtime/index.ts';

/** Runs steps of builds; those on the default network get an interface in it for as long as they run. */
export function runStepsOnNetwork(runtime: Pick<Runtime, 'run'>, join: () => Promise<StepNetwork>): StepRunner {
  return {
    async run(step: RunStep, root) {
      const { network } = step;
      if (network !== 'default') return await runtime.run({ ...step, network }, root);
      const { namespacePath, names, release } = await join();
      try {
        return await runtime.run({ ...step, network: { namespacePath }, names }, root);
      } finally {
        release();
      }
    },
  };
}

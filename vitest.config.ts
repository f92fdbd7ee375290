import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const project = (name: string, include: string[], extra: object = {}) => ({
  // Generous: a busy machine is no reason to fail.
  test: { name, include, environment: 'node', testTimeout: 60_000, ...extra },
});

const TIMED = ['test/corpus/*-time.test.ts'];

/** Real containers share one machine: these projects run one file at a time. */
const machine = { fileParallelism: false, testTimeout: 120_000, hookTimeout: 180_000 };

export default defineConfig({
  test: {
    globalSetup: ['test/support/suite-leftovers.ts'],
    projects: [
      project('unit', ['test/unit/**/*.test.ts']),
      project('golden', ['test/golden/**/*.test.ts']),
      project('integration', ['test/integration/**/*.test.ts', 'test/contract/**/*.test.ts'], machine),
      project('e2e', ['test/e2e/**/*.test.ts', 'test/conformance/**/*.test.ts'], machine),
      ...(existsSync('../shared/corpus')
        ? [
            project('corpus', ['test/corpus/**/*.test.ts'], { exclude: TIMED }),
            // What measures time runs when nothing else does.
            project('corpus-time', TIMED, { sequence: { groupOrder: 1 } }),
          ]
        : []),
    ],
  },
});

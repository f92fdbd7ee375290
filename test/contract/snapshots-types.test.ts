import { describe, expectTypeOf, it } from 'vitest';
import type { Snapshots } from '../../src/builder/ports.ts';
import type { EngineSnapshots } from '../../src/engine/ports.ts';
import type { LayerStore } from '../../src/runtime/snapshot/index.ts';

describe('LayerStore', () => {
  it('satisfies the ports of builder and engine', () => {
    expectTypeOf<LayerStore>().toExtend<Snapshots>();
    expectTypeOf<LayerStore>().toExtend<EngineSnapshots>();
  });
});

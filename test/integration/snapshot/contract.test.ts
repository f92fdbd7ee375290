import { describe } from 'vitest';
import { snapshotsContract } from '../../contract/snapshots.ts';
import { openTemporaryStore } from './open.ts';

describe('LayerStore', () => {
  snapshotsContract(openTemporaryStore);
});

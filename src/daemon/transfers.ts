import type { PullsApi, PushesApi } from '../api/server/index.ts';

/** Counts the pulls and pushes under way, so that a clean-up leaves their files alone. */
export interface Transfers {
  readonly active: boolean;
  pulls<P extends Pick<PullsApi, 'pull'>>(pulls: P): P;
  pushes<P extends Pick<PushesApi, 'push'>>(pushes: P): P;
}

export function countTransfers(): Transfers {
  let running = 0;
  const count = async <T>(transfer: () => Promise<T>): Promise<T> => {
    running += 1;
    try {
      return await transfer();
    } finally {
      running -= 1;
    }
  };
  return {
    get active() {
      return running > 0;
    },
    pulls: (pulls) => ({ ...pulls, pull: (name, options) => count(() => pulls.pull(name, options)) }),
    pushes: (pushes) => ({ ...pushes, push: (name, options) => count(() => pushes.push(name, options)) }),
  };
}

import type { WaitCondition, WaitResult } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';

/** Who waits for a container's end. */
export class Waits {
  readonly #forExit = new Set<(result: WaitResult) => void>();
  readonly #forRemoval = new Set<(result: WaitResult) => void>();

  get size(): number {
    return this.#forExit.size + this.#forRemoval.size;
  }

  /** Armed when it returns. Rejects with `cancelled` on abort. */
  arm(condition: WaitCondition, signal: AbortSignal): Promise<WaitResult> {
    const waiting = condition === 'removed' ? this.#forRemoval : this.#forExit;
    const result = new Promise<WaitResult>((resolve, reject) => {
      const cancel = () => {
        waiting.delete(settle);
        reject(new BerthError('cancelled', 'the wait was cancelled'));
      };
      const settle = (value: WaitResult) => {
        signal.removeEventListener('abort', cancel);
        resolve(value);
      };
      if (signal.aborted) return cancel();
      waiting.add(settle);
      signal.addEventListener('abort', cancel, { once: true });
    });
    // A client that goes away leaves nobody who would look at the rejection.
    result.catch(() => undefined);
    return result;
  }

  exited(result: WaitResult): void {
    settleAll(this.#forExit, result);
  }

  /** Also ends waits for an exit that will never come. */
  removed(result: WaitResult): void {
    settleAll(this.#forExit, result);
    settleAll(this.#forRemoval, result);
  }
}

function settleAll(waiting: Set<(result: WaitResult) => void>, result: WaitResult): void {
  const settles = [...waiting];
  waiting.clear();
  for (const settle of settles) settle(result);
}

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { trimMemory } from '../runtime/index.ts';

type Collect = (options: {
  readonly type: 'major';
  readonly execution: 'sync';
  readonly flavor: 'last-resort';
}) => void;

/**
 * Gives back what a burst of work left in the heaps. V8 keeps freed pages for the next burst, and so does malloc; an
 * engine that only waits for one should not. Takes some 20 ms: call it in quiet times.
 */
export function releaseMemory(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as Collect;
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  trimMemory();
}

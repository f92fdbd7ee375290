import { closeSync, openSync } from 'node:fs';
import { call } from '../../linux/index.ts';

/** Moves of the main thread between network namespaces. @see network_namespaces(7) */
const CLONE_NEWNET = 0x40000000;
const OWN = '/proc/thread-self/ns/net';

let home: number | undefined;

/** The namespace of the engine itself, which is the host's. */
function homeFd(): number {
  home ??= openSync(OWN, 'r');
  return home;
}

/**
 * Makes a network namespace, which ends with the last descriptor and process that use it: it has no name and no mount.
 * `prepare` runs inside of it; it must be synchronous, because whatever else happens in this thread meanwhile would
 * happen in there, too.
 * @returns its descriptor and what `prepare` returned
 */
export function makeNamespace<T>(prepare: () => T): { readonly fd: number; readonly made: T } {
  homeFd();
  call('int unshare(int)', CLONE_NEWNET);
  try {
    const fd = openSync(OWN, 'r');
    try {
      return { fd, made: prepare() };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  } finally {
    goHome();
  }
}

/** Does something synchronous in another network namespace: sockets that are opened there stay there. */
export function inNamespace<T>(fd: number, work: () => T): T {
  homeFd();
  call('int setns(int, int)', fd, CLONE_NEWNET);
  try {
    return work();
  } finally {
    goHome();
  }
}

/** An engine that cannot come back would serve the wrong network from then on: better none. */
function goHome(): void {
  try {
    call('int setns(int, int)', homeFd(), CLONE_NEWNET);
  } catch (error) {
    process.stderr.write(`cannot return from a container's network namespace: ${error}\n`);
    process.abort();
  }
}

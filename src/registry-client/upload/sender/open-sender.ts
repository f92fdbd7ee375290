import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { abortable } from '../../abortable.ts';
import { directSender } from '../direct-sender.ts';
import type { ChunkSender } from '../ports.ts';
import { Child } from './child.ts';
import { LAST_WORK_WAIT_MS } from './limits.ts';

export interface SenderProcessOptions {
  /** The program: `sender/main.ts`, or its bundle. */
  readonly script: string;
  /** Held by the sender as long as it lives, also after this process. One a memory of uploads. */
  readonly lockPath: string;
  /** Takes the exclusive lock of an open file, which its copies in other processes share (flock); false when another has it. */
  readonly lockFile: (fd: number) => boolean;
  /** A sender without work leaves after this. Default 10 s. */
  readonly idleMs?: number;
}

export interface SenderProcess extends ChunkSender {
  /** Aborts what is under way, and waits for the process to end. */
  close(): Promise<void>;
}

const LOCK_POLL_MS = 20;
/** Senders in a row that ended before they answered anything: after so many, this machine cannot run them. */
const MAX_MUTE = 2;

/**
 * Sends chunks from a process that survives a kill of this one: chunks under way are finished, and the next locations
 * noted. It is started for the first chunk, shared by all, and leaves when idle. Chunks of sources without a file, or
 * with a memory without files, are sent from this process; so are all where such a process cannot be had.
 */
export function openSenderProcess(options: SenderProcessOptions): SenderProcess {
  const { idleMs = 10_000 } = options;
  let lock: Promise<number | undefined> | undefined;
  let child: Child | undefined;
  let idle: NodeJS.Timeout | undefined;
  let mute = 0;
  const closing = new AbortController();

  const rest = () => {
    if (child && !child.isBusy) idle = setTimeout(() => child?.leave(), idleMs).unref();
  };
  return {
    async ready(signal) {
      lock ??= takeLock(options, closing.signal);
      await abortable(lock, signal);
    },
    async send(chunk) {
      const path = chunk.note?.memory.fileOf && (await chunk.source.file?.());
      const fd = await lock;
      const isOut = closing.signal.aborted || mute >= MAX_MUTE;
      if (path === undefined || fd === undefined || isOut) return await directSender.send(chunk);
      clearTimeout(idle);
      if (child === undefined || child.isLeaving) {
        child = new Child(options, fd, (hasAnswered) => {
          mute = hasAnswered ? 0 : mute + 1;
        });
      }
      try {
        return await child.send(chunk, path);
      } finally {
        clearTimeout(idle);
        rest();
      }
    },
    async close() {
      closing.abort();
      clearTimeout(idle);
      await child?.end();
      const fd = await lock;
      if (fd !== undefined) closeSync(fd);
      lock = undefined;
    },
  };
}

/** @returns undefined when an earlier sender does not let go of it: it was stopped, or cannot end */
async function takeLock(
  { lockPath, lockFile }: SenderProcessOptions,
  closing: AbortSignal,
): Promise<number | undefined> {
  const fd = openSync(lockPath, 'a', 0o600);
  const deadline = performance.now() + LAST_WORK_WAIT_MS;
  while (!lockFile(fd)) {
    if (closing.aborted || performance.now() > deadline) {
      closeSync(fd);
      return undefined;
    }
    await delay(LOCK_POLL_MS);
  }
  return fd;
}

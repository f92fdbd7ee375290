import { Worker } from 'node:worker_threads';

export interface Probe {
  readonly protocol: 'tcp' | 'udp';
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
}

/** Somebody on a network: the host itself, a container, a machine of the LAN. */
export class Peer {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (answer: string | undefined) => void>();
  #next = 0;

  /** @param namespace path of a network namespace; null is the host's */
  constructor(namespace: string | null) {
    this.#worker = new Worker(new URL('./peer-worker.ts', import.meta.url), { workerData: { namespace } });
    this.#worker.on('message', ({ id, answer }: { id: number; answer: string | undefined }) => {
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
  }

  /** Answers with the address of who asks, over TCP and UDP. */
  async listen(port: number): Promise<void> {
    await this.#ask({ listenOn: port });
  }

  /** @returns the address by which the other side knows us; undefined when it cannot be reached */
  async reach(probe: Probe): Promise<string | undefined> {
    return await this.#ask({ probe });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(message: { readonly listenOn?: number; readonly probe?: Probe }): Promise<string | undefined> {
    const id = this.#next++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#worker.postMessage({ id, ...message });
    });
  }
}

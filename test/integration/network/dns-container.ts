import type { Names } from '../../../src/network/dns/container-names.ts';
import { serveDns } from '../../../src/network/dns/serve.ts';
import { openDnsSockets } from '../../../src/network/dns/sockets.ts';
import type { Upstream } from '../../../src/network/dns/upstream.ts';
import { Sandbox } from '../../../src/network/namespace/sandbox.ts';
import { DnsClient, datagramSocket, resolverConnection } from './dns-client.ts';

export const noNames: Names = { lookup: () => undefined, reverse: () => undefined };

/** A namespace with a resolver, and a program in it that asks. */
export class DnsContainer implements Disposable {
  readonly sandbox = Sandbox.create();
  readonly client: DnsClient;
  readonly #end = new AbortController();

  private constructor() {
    this.client = new DnsClient(this.sandbox.inside(() => datagramSocket([127, 0, 0, 1], 0)));
  }

  static async start(options: { readonly names?: Names; readonly upstream?: Upstream }): Promise<DnsContainer> {
    const container = new DnsContainer();
    await container.serve(options);
    return container;
  }

  /** Again, as an engine does that was started anew. */
  async serve({ names = noNames, upstream }: { readonly names?: Names; readonly upstream?: Upstream }): Promise<void> {
    const sockets = this.sandbox.inside(openDnsSockets);
    await serveDns({ ...sockets, names, upstream: () => upstream, signal: this.#end.signal });
  }

  tcpSocket(): number {
    return this.sandbox.inside(resolverConnection);
  }

  /** Ends when what it asked was answered. */
  async end(): Promise<void> {
    await this.client.idle();
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#end.abort();
    this.client.close();
    this.sandbox.close();
  }
}

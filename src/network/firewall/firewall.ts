import { type Nft, NftFailure, openNft } from './nft.ts';
import {
  addBridge,
  addPorts,
  type BridgeRules,
  deleteTable,
  type PortRule,
  removeBridge,
  removePorts,
  wholeTable,
} from './ruleset.ts';

/**
 * The rules of one engine: a table of its own, changed by a transaction each, made when the first bridge needs it and
 * gone with the last. When somebody flushes the rules of the host, the next change puts all of it back.
 */
export class Firewall {
  readonly #table: string;
  #nft: Nft | undefined;
  #exists = false;
  #paused = false;
  readonly #bridges = new Map<string, BridgeRules>();
  readonly #ports = new Set<PortRule>();

  constructor(table: string) {
    this.#table = table;
  }

  get bridges(): readonly BridgeRules[] {
    return [...this.#bridges.values()];
  }

  /** Runs commands that have nothing to do with the table. */
  get nft(): Nft {
    this.#nft ??= openNft();
    return this.#nft;
  }

  /**
   * Lets bridges and ports be added without a change, and then replaces the table as a whole: connections through the
   * rules of an earlier engine notice nothing.
   */
  async restore(add: () => Promise<void>): Promise<void> {
    this.#paused = true;
    try {
      await add();
    } finally {
      this.#paused = false;
      this.#rebuild();
    }
  }

  /** Makes the rules anew when somebody flushed them. @param isThere whether the kernel has the table */
  mend(isThere: () => boolean): void {
    if (this.#exists && !this.#paused && !isThere()) this.#rebuild();
  }

  /** Takes the table away, whether this engine made it or an earlier one. Idempotent. */
  clear(): void {
    this.#bridges.clear();
    this.#ports.clear();
    this.#rebuild();
  }

  /** Idempotent for a bridge by its name. */
  addBridge(bridge: BridgeRules): void {
    if (this.#bridges.has(bridge.name)) return;
    this.#bridges.set(bridge.name, bridge);
    this.#change(addBridge(this.#table, bridge));
  }

  /** Idempotent. */
  removeBridge(name: string): void {
    const bridge = this.#bridges.get(name);
    if (!bridge) return;
    this.#bridges.delete(name);
    if (this.#bridges.size === 0 && !this.#paused) this.#rebuild();
    else this.#change(removeBridge(this.#table, bridge));
  }

  addPorts(ports: readonly PortRule[]): void {
    if (ports.length === 0) return;
    for (const port of ports) this.#ports.add(port);
    try {
      this.#change(addPorts(this.#table, ports));
    } catch (error) {
      for (const port of ports) this.#ports.delete(port);
      throw error;
    }
  }

  /** Removes some, the very objects that were added, and adds others, with no moment in between. */
  replacePorts(before: readonly PortRule[], after: readonly PortRule[]): void {
    const known = before.filter((port) => this.#ports.delete(port));
    for (const port of after) this.#ports.add(port);
    if (known.length + after.length > 0) {
      this.#change(removePorts(this.#table, known) + addPorts(this.#table, after));
    }
  }

  /** The very objects that were added. Idempotent. */
  removePorts(ports: readonly PortRule[]): void {
    const known = ports.filter((port) => this.#ports.delete(port));
    if (known.length > 0) this.#change(removePorts(this.#table, known));
  }

  #change(commands: string): void {
    if (this.#paused) return;
    if (!this.#exists) {
      this.#rebuild();
      return;
    }
    try {
      this.nft.run(commands);
    } catch (error) {
      if (!(error instanceof NftFailure && error.isMissing)) throw error;
      this.#rebuild();
    }
  }

  #rebuild(): void {
    const rules = { bridges: this.bridges, ports: [...this.#ports] };
    this.#exists = this.#bridges.size > 0;
    this.nft.run(this.#exists ? wholeTable(this.#table, rules) : deleteTable(this.#table));
  }
}

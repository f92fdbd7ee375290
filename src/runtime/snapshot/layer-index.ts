import { existsSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { BerthError } from '../../errors/index.ts';
import { type ChainId, hexOf } from '../../oci/index.ts';
import { mountErofs } from '../linux/erofs.ts';
import { flags, umount } from '../linux/libc.ts';
import { mountsBelow } from '../linux/mount-table.ts';
import { syncDirectory, writeJson } from './durable.ts';
import { EROFS_IMAGE } from './erofs-form.ts';
import type { LayerRecord } from './layer-record.ts';
import { type Layout, layerFolder } from './layout.ts';

/** The committed layers: what is in `layers/`, and how they are stacked. */
export class LayerIndex {
  readonly #layout: Layout;
  readonly #records = new Map<ChainId, LayerRecord>();
  /** Child layers and other holders of each layer. */
  readonly #children = new Map<ChainId, number>();
  /** Images that are mounted, by layer. */
  readonly #images = new Set<ChainId>();
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor(layout: Layout) {
    this.#layout = layout;
    const mounts = new Set(mountsBelow(layout.layers));
    for (const name of readdirSync(layout.layers)) {
      const record = readRecord(`${layout.layers}/${name}/layer.json`);
      const isThere = record && hexOf(record.chainId) === name && existsSync(`${layout.layers}/${name}/fs`);
      if (!isThere) continue;
      this.#records.set(record.chainId, record);
      if (mounts.has(`${layout.layers}/${name}/fs`)) this.#images.add(record.chainId);
    }
    for (const record of this.#records.values()) {
      if (this.#isWhole(record)) this.#count(record.parent, 1);
      else this.#records.delete(record.chainId);
    }
  }

  get(chain: ChainId): LayerRecord | undefined {
    return this.#records.get(chain);
  }

  /** @throws BerthError `not-found` */
  need(chain: ChainId): LayerRecord {
    const record = this.#records.get(chain);
    if (record) return record;
    throw new BerthError('not-found', `no such layer: ${chain}`);
  }

  hasChildren(chain: ChainId): boolean {
    return (this.#children.get(chain) ?? 0) > 0;
  }

  /** The layer and those below it, topmost first; each can be read. */
  stack(chain: ChainId | null): LayerRecord[] {
    const stack: LayerRecord[] = [];
    for (let next = chain; next !== null; ) {
      const record = this.need(next);
      this.directory(next);
      stack.push(record);
      next = record.parent;
    }
    return stack;
  }

  /** The directories of a stack, topmost first. */
  directories(chain: ChainId | null): string[] {
    return this.stack(chain).map((record) => this.directory(record.chainId));
  }

  /** The directory of one layer, without those below it. */
  directory(chain: ChainId): string {
    const folder = layerFolder(this.#layout, chain);
    const directory = `${folder}/fs`;
    if (this.need(chain).forms.includes('erofs') && !this.#images.has(chain)) {
      mountErofs(`${folder}/${EROFS_IMAGE}`, directory);
      this.#images.add(chain);
    }
    return directory;
  }

  /** Keeps a layer from being removed until the returned function is called, once. */
  hold(chain: ChainId | null): () => void {
    if (chain !== null) this.need(chain);
    this.#count(chain, 1);
    return () => this.#count(chain, -1);
  }

  /**
   * Moves a folder that has all of a layer into place. When another has done so first, the folder is left alone.
   * @returns the record that counts
   */
  async add(folder: string, record: Omit<LayerRecord, 'link'>): Promise<LayerRecord> {
    return this.#inOrder(async () => {
      const done = this.#records.get(record.chainId);
      if (done) return done;
      const whole = { ...record, link: this.#makeLink(record.chainId) };
      await writeJson(`${folder}/layer.json`, whole, { sync: true });
      const place = layerFolder(this.#layout, record.chainId);
      await rename(folder, place).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
        await rm(place, { recursive: true });
        await rename(folder, place);
      });
      await syncDirectory(this.#layout.layers);
      this.#records.set(record.chainId, whole);
      this.#count(record.parent, 1);
      return whole;
    });
  }

  /** Forgets a layer and moves its folder to `aside`, in one step for whoever looks at the disk. */
  async remove(chain: ChainId, aside: string): Promise<void> {
    const record = this.need(chain);
    this.#records.delete(chain);
    this.#count(record.parent, -1);
    await this.#inOrder(async () => {
      if (this.#images.delete(chain)) umount(`${layerFolder(this.#layout, chain)}/fs`, flags.MNT_DETACH);
      await rm(`${this.#layout.links}/${record.link}`, { force: true });
      await rename(layerFolder(this.#layout, chain), aside);
    });
  }

  /** One change of `layers/` after the other, so that removing and adding one layer do not meet. */
  #inOrder<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#lastChange.then(change);
    this.#lastChange = result.catch(() => {});
    return result;
  }

  all(): Iterable<LayerRecord> {
    return this.#records.values();
  }

  /** A short name for the layer's directory: 48 bits of its chain id, more where another has those. */
  #makeLink(chain: ChainId): string {
    const text = Buffer.from(hexOf(chain), 'hex').toString('base64url');
    const target = `../layers/${hexOf(chain)}/fs`;
    for (let length = 8; ; length += 4) {
      const name = text.slice(0, length);
      try {
        symlinkSync(target, `${this.#layout.links}/${name}`);
        return name;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      if (readlinkSync(`${this.#layout.links}/${name}`) === target) return name;
    }
  }

  #isWhole(record: LayerRecord): boolean {
    for (let next = record.parent; next !== null; ) {
      const parent = this.#records.get(next);
      if (parent === undefined) return false;
      next = parent.parent;
    }
    return true;
  }

  #count(parent: ChainId | null, change: number): void {
    if (parent !== null) this.#children.set(parent, (this.#children.get(parent) ?? 0) + change);
  }
}

function readRecord(path: string): LayerRecord | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as LayerRecord;
  } catch {
    return undefined;
  }
}

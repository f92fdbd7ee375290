import { lstatSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import type { ChainId, DiffId } from '../../oci/index.ts';
import type { Background } from './background.ts';
import type { LayerIndex } from './layer-index.ts';
import type { LayerRecord } from './layer-record.ts';
import { type Layout, layerFolder } from './layout.ts';
import { allocated, type TreeUsage } from './tree/allocated.ts';

/** What a committed layer takes on the disk. */
export interface LayerUsage {
  readonly parent: ChainId | null;
  readonly diffId: DiffId;
  readonly createdAt: string;
  /** Allocated bytes of its folder and its short name. */
  readonly bytes: number;
  /** Layers with the same name here share `linkedBytes` of theirs: they are linked copies. Null: it shares nothing. */
  readonly linkGroup: string | null;
  readonly linkedBytes: number;
}

type Row = readonly [bytes: number, linkedBytes: number, firstFile: number | null];

const FORMAT = 1;

/**
 * Measures layers, each once: a committed layer never changes. The figures are kept in a file of their own, which may
 * be lost: then they are taken anew.
 */
export class LayerMeter {
  readonly #layout: Layout;
  readonly #layers: LayerIndex;
  readonly #background: Background;
  readonly #file: string;
  #rows: Map<string, Row> | undefined;
  #measuring: Promise<unknown> = Promise.resolve();

  constructor(layout: Layout, layers: LayerIndex, background: Background) {
    this.#layout = layout;
    this.#layers = layers;
    this.#background = background;
    this.#file = `${layout.folder}/layers.usage.json`;
  }

  /** Every committed layer. */
  layers(): Promise<ReadonlyMap<ChainId, LayerUsage>> {
    const result = this.#measuring.then(() => this.#all());
    this.#measuring = result.catch(() => {});
    return result;
  }

  /** Allocated bytes of any folder or file of this machine, as `du` counts them. 0 for one that is not there. */
  async folder(path: string): Promise<number> {
    return (await this.#measure(path)).bytes;
  }

  async #all(): Promise<ReadonlyMap<ChainId, LayerUsage>> {
    this.#rows ??= load(this.#file);
    const rows = this.#rows;
    const records = [...this.#layers.all()];
    const missing = records.filter(({ chainId }) => !rows.has(chainId));
    for (const { chainId, forms } of missing) {
      const folder = layerFolder(this.#layout, chainId);
      // What is in an image has no second name elsewhere.
      const tree = forms.includes('erofs') ? `${folder}/none` : `${folder}/fs`;
      const [whole, { linkedBytes, firstFile }] = await Promise.all([this.#measure(folder), this.#measure(tree)]);
      rows.set(chainId, [whole.bytes, linkedBytes, firstFile]);
    }
    const present = records.filter(({ chainId }) => this.#layers.get(chainId) !== undefined);
    if (missing.length > 0 || rows.size > present.length) await this.#keep(rows, present);
    return new Map(present.map((record) => [record.chainId, this.#usageOf(record, rows.get(record.chainId)!)]));
  }

  #usageOf(record: LayerRecord, [bytes, linkedBytes, firstFile]: Row): LayerUsage {
    const { parent, diffId, createdAt, link } = record;
    const short = lstatSync(`${this.#layout.links}/${link}`, { throwIfNoEntry: false });
    const linkGroup = firstFile === null ? null : `${diffId} ${firstFile}`;
    return { parent, diffId, createdAt, bytes: bytes + (short ? allocated(short) : 0), linkGroup, linkedBytes };
  }

  #measure(top: string): Promise<TreeUsage> {
    return this.#background.run({ kind: 'allocated', top });
  }

  async #keep(rows: Map<string, Row>, present: readonly LayerRecord[]): Promise<void> {
    const names = new Set<string>(present.map(({ chainId }) => chainId));
    for (const name of rows.keys()) if (!names.has(name)) rows.delete(name);
    const temp = `${this.#file}.tmp`;
    try {
      await writeFile(temp, JSON.stringify({ format: FORMAT, rows: [...rows] }), { mode: 0o600 });
      await rename(temp, this.#file);
    } catch {
      // A full disk must not keep anybody from being told what fills it.
    }
  }
}

function load(file: string): Map<string, Row> {
  try {
    const document = JSON.parse(readFileSync(file, 'utf8')) as { format: number; rows: [string, Row][] };
    return document.format === FORMAT ? new Map(document.rows) : new Map();
  } catch {
    return new Map();
  }
}

import { join } from 'node:path';
import { BerthError } from '../errors/index.ts';
import { type ImageId, isDigest } from '../oci/index.ts';
import { readDocument, replaceDocument } from './document.ts';

export interface ImageRow {
  /** ISO time of the last change of a name. */
  readonly taggedAt: string;
  /** Canonical `name@digest`. */
  readonly repoDigests: readonly string[];
}

/** Which images there are and what they are called. A new value is made for each change. */
export interface Refs {
  readonly images: ReadonlyMap<ImageId, ImageRow>;
  /** Canonical name with tag, to image. */
  readonly names: ReadonlyMap<string, ImageId>;
}

interface RefsDocument {
  readonly version: 1;
  readonly images: Readonly<Record<string, ImageRow>>;
  readonly names: Readonly<Record<string, string>>;
}

/**
 * `images/refs.json`: the last thing written for an image, and the first thing changed when one goes, so that what it
 * says exists. It is read once; whoever holds the lock of the data folder is its only writer.
 */
export class RefsFile {
  readonly #dataFolder: string;
  readonly #path: string;
  #current: Promise<Refs> | undefined;

  constructor(dataFolder: string) {
    this.#dataFolder = dataFolder;
    this.#path = join(dataFolder, 'images', 'refs.json');
  }

  async read(): Promise<Refs> {
    this.#current ??= this.#load();
    try {
      return await this.#current;
    } catch (error) {
      this.#current = undefined;
      throw error;
    }
  }

  /** Durable when it resolves; on failure (full disk) the old value stays, on disk and in memory. */
  async replace(refs: Refs): Promise<void> {
    const document: RefsDocument = {
      version: 1,
      images: Object.fromEntries(refs.images),
      names: Object.fromEntries(refs.names),
    };
    await replaceDocument(this.#dataFolder, this.#path, `${JSON.stringify(document, null, 1)}\n`, { durable: true });
    this.#current = Promise.resolve(refs);
  }

  async #load(): Promise<Refs> {
    const text = await readDocument(this.#path);
    if (text === undefined) return { images: new Map(), names: new Map() };
    try {
      return decode(JSON.parse(text) as RefsDocument);
    } catch (cause) {
      // Starting empty would let the next clean-up delete every image.
      throw new BerthError('internal', `the list of images cannot be read: ${this.#path}`, {
        cause,
        hint: 'restore the file from a backup, or remove it to start without images',
      });
    }
  }
}

function decode(document: RefsDocument): Refs {
  if (document.version !== 1) throw new Error(`unknown version ${document.version}`);
  const images = new Map<ImageId, ImageRow>();
  for (const [id, row] of Object.entries(document.images)) {
    if (isDigest(id)) images.set(id, { taggedAt: row.taggedAt, repoDigests: row.repoDigests });
  }
  const names = new Map<string, ImageId>();
  for (const [name, id] of Object.entries(document.names)) {
    if (isDigest(id) && images.has(id)) names.set(name, id);
  }
  return { images, names };
}

import type { TarEntry } from '../../../archive/index.ts';
import { BerthError } from '../../../errors/index.ts';
import type { SpoolArea } from '../../ports.ts';
import { collect } from '../content.ts';
import { innerPath, linkTarget } from './paths.ts';

/** Documents of an archive: manifests and indexes. */
export const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
export const MAX_CONFIG_BYTES = 8 * 1024 * 1024;
const MAX_ENTRIES = 20_000;
const MAX_LINK_DEPTH = 16;
const DOCUMENTS = new Set(['manifest.json', 'index.json', 'oci-layout', 'repositories']);

/** The files of an archive that were kept aside, by their path in it. */
export class ArchiveParts {
  readonly #area: SpoolArea;
  /** Path to size; undefined: it passed without being kept. */
  readonly #files = new Map<string, number | undefined>();
  readonly #links = new Map<string, string>();
  #entries = 0;

  constructor(area: SpoolArea) {
    this.#area = area;
  }

  /**
   * Checks an entry's name and kind. Links are remembered, files are the caller's to `keep` or `skip`.
   * @returns the path of a file, undefined for everything else
   * @throws BerthError `invalid` for what an archive of images must not have
   */
  admit(entry: TarEntry): string | undefined {
    this.#entries += 1;
    if (this.#entries > MAX_ENTRIES) throw invalid(`it has more than ${MAX_ENTRIES} entries`);
    const path = innerPath(entry.name);
    if (entry.type === 'directory') return undefined;
    if (this.#files.has(path) || this.#links.has(path)) throw invalid(`${quoted(path)} occurs twice`);
    if (entry.type === 'symlink') this.#links.set(path, linkTarget(path, entry.linkName ?? ''));
    else if (entry.type === 'hardlink') this.#links.set(path, innerPath(entry.linkName ?? ''));
    else if (entry.type !== 'file') throw invalid(`${quoted(path)} is a ${entry.type}`);
    if (entry.type !== 'file') return undefined;
    if (DOCUMENTS.has(path) && entry.size > MAX_DOCUMENT_BYTES) {
      throw invalid(`${path} is larger than ${MAX_DOCUMENT_BYTES} bytes`);
    }
    return path;
  }

  async keep(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    this.#files.set(path, await this.#area.write(path, content));
  }

  skip(path: string): void {
    this.#files.set(path, undefined);
  }

  has(path: string): boolean {
    return this.#files.get(innerPath(path)) !== undefined;
  }

  /** Follows links to the file that a path means; undefined when there is none. */
  find(path: string): string | undefined {
    let current = innerPath(path);
    for (let depth = 0; depth < MAX_LINK_DEPTH; depth++) {
      const next = this.#links.get(current);
      if (next === undefined) return this.#files.has(current) ? current : undefined;
      current = next;
    }
    throw invalid(`links at ${quoted(path)} go round in a circle`);
  }

  /** @throws BerthError `invalid` when there is no such file */
  read(path: string): AsyncIterable<Uint8Array> {
    const file = this.find(path);
    if (file === undefined || this.#files.get(file) === undefined) throw invalid(`${quoted(path)} is missing`);
    return this.#area.read(file);
  }

  async readSmall(path: string, maxBytes: number): Promise<Buffer> {
    return collect(this.read(path), maxBytes, quoted(path));
  }

  async readJson(path: string): Promise<unknown> {
    const bytes = await this.readSmall(path, MAX_DOCUMENT_BYTES);
    try {
      return JSON.parse(bytes.toString('utf8'));
    } catch (cause) {
      throw invalid(`${quoted(path)} is not JSON`, cause);
    }
  }
}

export function invalid(why: string, cause?: unknown): BerthError {
  return new BerthError('invalid', `invalid archive: ${why}`, cause === undefined ? {} : { cause });
}

export function quoted(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}

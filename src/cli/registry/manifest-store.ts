import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../errors/index.ts';
import { canonicalName, type Descriptor, isDigest, type Reference } from '../../oci/index.ts';

/** One manifest of a list that is being made, as docker keeps it. @see docker/cli manifest/types.ImageManifest */
export interface ImageManifest {
  /** Canonical name. */
  readonly Ref: string;
  readonly Descriptor: Descriptor;
  /** The manifest's exact bytes, in base64. */
  readonly Raw: string;
  readonly SchemaV2Manifest?: object;
  readonly OCIManifest?: object;
}

/**
 * Lists that are being made, in docker's own folder and form: what one of the two programs began, the other can end.
 * @see docker/cli manifest/store
 */
export class ManifestStore {
  readonly #folder: string;

  constructor(configFolder: string) {
    this.#folder = join(configFolder, 'manifests');
  }

  /** Undefined when there is no such list. */
  async list(list: Reference): Promise<readonly ImageManifest[] | undefined> {
    const folder = this.#pathOf(list);
    const names = await readdir(folder).catch(() => undefined);
    if (names === undefined) return undefined;
    const files = names.filter((name) => !name.endsWith('.tmp')).sort();
    return await Promise.all(files.map((name) => readEntry(join(folder, name))));
  }

  async get(list: Reference, manifest: Reference): Promise<ImageManifest | undefined> {
    const path = join(this.#pathOf(list), fileName(manifest));
    return (await stat(path).catch(() => undefined)) ? await readEntry(path) : undefined;
  }

  async put(list: Reference, manifest: Reference, entry: ImageManifest): Promise<void> {
    const folder = this.#pathOf(list);
    await mkdir(folder, { recursive: true, mode: 0o755 });
    const path = join(folder, fileName(manifest));
    const temp = `${path}.${randomBytes(4).toString('hex')}.tmp`;
    try {
      const file = await open(temp, 'wx', 0o644);
      try {
        await file.writeFile(JSON.stringify(entry));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temp, path);
    } finally {
      await rm(temp, { force: true });
    }
  }

  async remove(list: Reference): Promise<void> {
    await rm(this.#pathOf(list), { recursive: true, force: true });
  }

  #pathOf(list: Reference): string {
    return join(this.#folder, fileName(list));
  }
}

/** As docker: what a file system might not take is replaced. A canonical name never begins with a dot. */
function fileName(reference: Reference): string {
  return canonicalName(reference).replaceAll(':', '-').replaceAll('/', '_');
}

async function readEntry(path: string): Promise<ImageManifest> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch {
    value = undefined;
  }
  const entry = (value ?? {}) as Partial<ImageManifest>;
  const { digest, size, mediaType } = entry.Descriptor ?? {};
  const isRight =
    typeof entry.Ref === 'string' &&
    typeof entry.Raw === 'string' &&
    typeof digest === 'string' &&
    isDigest(digest) &&
    typeof size === 'number' &&
    typeof mediaType === 'string';
  if (isRight) return entry as ImageManifest;
  throw new BerthError('invalid', `${path} is damaged`, {
    hint: 'remove the list with manifest rm, and create it again',
  });
}

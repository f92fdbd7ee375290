import { copyFileSync, type Dirent, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** One layer of the large image: so many bytes of the files below these folders. */
interface LayerSpec {
  readonly folders: readonly { readonly from: string; readonly bytes: number }[];
}

const MB = 1_000_000;
/** Single files above this would make a layer of few files. */
const MAX_FILE = 120 * MB;

/** 600 MB of what images hold: shared libraries, programs, documents and sources of this machine. */
const LAYERS: readonly LayerSpec[] = [
  {
    folders: [
      { from: '/usr/lib/x86_64-linux-gnu', bytes: 250 * MB },
      { from: '/usr/share', bytes: 120 * MB },
    ],
  },
  { folders: [{ from: '/usr/bin', bytes: 160 * MB }] },
  { folders: [{ from: '/usr/lib', bytes: 80 * MB }] },
  {
    folders: [
      { from: '/usr/include', bytes: 20 * MB },
      { from: '/usr/libexec', bytes: 40 * MB },
      { from: '/usr/sbin', bytes: 20 * MB },
    ],
  },
];

/**
 * Makes a build context whose Dockerfile copies `scale` times 600 MB of this machine's files, one COPY a layer. The files
 * are chosen in order of their names: the same machine gives the same image.
 */
export function layerContexts(folder: string, scale = 1): readonly string[] {
  return LAYERS.map(({ folders }, index) => {
    const name = `layer${index}`;
    rmSync(join(folder, name), { recursive: true, force: true });
    for (const { from, bytes } of folders) copyFiles(from, join(folder, name, from), bytes * scale);
    return name;
  });
}

function copyFiles(from: string, to: string, bytes: number): void {
  const seen = new Set<number>();
  let left = bytes;
  for (const path of filesBelow(from)) {
    const { size, ino } = lstatSync(join(from, path));
    // A file with several names would be one in the layer.
    if (seen.has(ino) || size > Math.min(left, MAX_FILE)) continue;
    seen.add(ino);
    mkdirSync(dirname(join(to, path)), { recursive: true });
    copyFileSync(join(from, path), join(to, path));
    left -= size;
    if (left < 0.001 * bytes) return;
  }
}

function* filesBelow(folder: string, path = ''): Generator<string> {
  const entries: Dirent[] = readdirSync(join(folder, path), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) yield* filesBelow(folder, below);
    else if (entry.isFile()) yield below;
  }
}

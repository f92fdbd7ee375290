import { mkdirSync } from 'node:fs';
import { type ChainId, hexOf } from '../../oci/index.ts';
import { spreadFolders } from '../linux/inode-flags.ts';

/**
 * Where things are in the data folder. Everything of one file system, so that a rename moves layers into place.
 *
 *     layers/<chain hex>/layer.json   a committed layer; a folder without it is garbage
 *                        fs/          form "directory": an overlay upper, mountable as a lower
 *                        layer.erofs  form "erofs": an image, mounted at fs/ when it is needed
 *                        layer.split  form "split": what of the original tar is not in fs/
 *                        kept/        contents that the split needs and that fs/ lost to later entries
 *     l/<short> -> ../layers/<hex>/fs so that the lowers of a mount fit into one page
 *     roots/<id>/{root.json,upper,work,merged}   writable roots
 *     views/<chain hex>/              mount points of read-only views
 *     tmp/                            nothing here outlives the engine
 *     empty/                          the lower of a root without a parent
 */
export interface Layout {
  readonly folder: string;
  readonly layers: string;
  readonly links: string;
  readonly roots: string;
  readonly views: string;
  readonly temps: string;
}

export function makeLayout(folder: string): Layout {
  const layout: Layout = {
    folder,
    layers: `${folder}/layers`,
    links: `${folder}/l`,
    roots: `${folder}/roots`,
    views: `${folder}/views`,
    temps: `${folder}/tmp`,
  };
  for (const path of [layout.layers, layout.links, layout.roots, layout.views, layout.temps]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }
  // Layers from outside are unpacked here.
  spreadFolders(layout.temps);
  mkdirSync(`${folder}/empty`, { recursive: true, mode: 0o755 });
  return layout;
}

export function layerFolder(layout: Layout, chain: ChainId): string {
  return `${layout.layers}/${hexOf(chain)}`;
}

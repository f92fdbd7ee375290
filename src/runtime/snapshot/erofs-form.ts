import { execFile } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { promisify } from 'node:util';
import { BerthError } from '../../errors/index.ts';
import { type DiffId, hexOf } from '../../oci/index.ts';
import { findProgram } from '../crun/invoke.ts';
import { removeTree } from './remove-tree.ts';

export const EROFS_IMAGE = 'layer.erofs';

/**
 * A fixed time of making. Later times of files become this one, and nothing is later: negative ones are read as unsigned,
 * too. (`-T` would set the times of all files.)
 */
const SOURCE_DATE_EPOCH = '18446744073709551614';

const run = promisify(execFile);

/**
 * Turns a layer's `fs/` into an image, and into the place where that is mounted. One layer makes one image, to the byte:
 * its identity is the layer's. Straight from a tar it could only be made by a newer mkfs.erofs than Debian 12 has.
 * @throws BerthError `unsupported` without mkfs.erofs
 */
export async function makeErofs(folder: string, diffId: DiffId): Promise<void> {
  const program = findProgram('mkfs.erofs');
  if (!program) {
    throw new BerthError('unsupported', 'BERTH_LAYER_FORM=erofs needs mkfs.erofs, which is not installed', {
      hint: 'apt-get install erofs-utils, or unset BERTH_LAYER_FORM',
    });
  }
  const hex = hexOf(diffId);
  const uuid = [8, 4, 4, 4, 12].reduce((text, length) => {
    const at = text.replaceAll('-', '').length;
    return `${text}${text && '-'}${hex.slice(at, at + length)}`;
  }, '');
  await run(program, ['--quiet', '-U', uuid, `${folder}/${EROFS_IMAGE}`, `${folder}/fs`], {
    env: { SOURCE_DATE_EPOCH },
  });
  renameSync(`${folder}/fs`, `${folder}/unpacked`);
  mkdirSync(`${folder}/fs`, { mode: 0o700 });
  await removeTree(`${folder}/unpacked`);
}

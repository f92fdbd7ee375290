import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { encodeHeader } from '../../../src/archive/index.ts';
import { openLayerStore } from '../../../src/runtime/snapshot/index.ts';

/** A process of its own that unpacks a large layer: `large-tar.ts FOLDER MEBIBYTES`. Prints by how many MiB it grew. */
const [, , dataFolder = '', mebibytes = ''] = process.argv;
const FILE_BYTES = 4 << 20;

async function* tar(): AsyncGenerator<Buffer> {
  const content = randomBytes(FILE_BYTES);
  for (let file = 0; file * FILE_BYTES < Number(mebibytes) << 20; file += 1) {
    yield encodeHeader({ name: `${file}`, type: 'file', size: FILE_BYTES, mode: 0o644, uid: 0, gid: 0, mtime: 0 });
    // As they come from a socket.
    for (let at = 0; at < FILE_BYTES; at += 64 << 10) yield Buffer.from(content.subarray(at, at + (64 << 10)));
  }
  yield Buffer.alloc(1024);
}

const memory = (name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);

const store = await openLayerStore({ dataFolder });
const before = memory('VmRSS');
await store.apply(null, tar(), { signal: new AbortController().signal });
process.stdout.write(`${Math.round((memory('VmHWM') - before) / 1024)}\n`);

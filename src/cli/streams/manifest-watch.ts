const BLOCK = 512;

/**
 * Lets an archive pass and notes whether `manifest.json` lies at its top, as in what `docker save` writes. Looks at the
 * headers of a plain tar; a compressed one passes unseen.
 */
export function watchForManifest(source: AsyncIterable<Uint8Array>): {
  readonly stream: AsyncIterable<Uint8Array>;
  sawManifest(): boolean;
} {
  let seen = false;
  async function* pass() {
    let header = Buffer.alloc(0);
    let skip = 0;
    let watching = true;
    for await (const raw of source) {
      const chunk = Buffer.from(raw.buffer, raw.byteOffset, raw.length);
      for (let at = 0; watching && at < chunk.length; ) {
        if (skip > 0) {
          const step = Math.min(skip, chunk.length - at);
          skip -= step;
          at += step;
          continue;
        }
        const part = chunk.subarray(at, at + BLOCK - header.length);
        header = Buffer.concat([header, part]);
        at += part.length;
        if (header.length < BLOCK) continue;
        const entry = readHeader(header);
        header = Buffer.alloc(0);
        if (entry?.name === 'manifest.json') seen = true;
        watching = entry !== undefined && !seen;
        skip = entry?.contentBytes ?? 0;
      }
      yield chunk;
    }
  }
  return { stream: pass(), sawManifest: () => seen };
}

/** Undefined for anything but a header. */
function readHeader(block: Buffer): { name: string; contentBytes: number } | undefined {
  if (block.toString('latin1', 257, 262) !== 'ustar') return undefined;
  const name = block.toString('utf8', 0, 100).replace(/\0.*$/s, '').replace(/^\.\//, '');
  const size = Number.parseInt(block.toString('latin1', 124, 136).replace(/[\0 ].*$/s, ''), 8);
  return Number.isSafeInteger(size) ? { name, contentBytes: Math.ceil(size / BLOCK) * BLOCK } : undefined;
}

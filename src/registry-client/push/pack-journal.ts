import { readFileSync } from 'node:fs';
import { type FileHandle, open, readFile, rm, stat } from 'node:fs/promises';

/** Bytes in a machine's page cache survive the process, not the machine: what was written before a reboot is not trusted. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/**
 * Which blocks of a half-made packed file are whole: a line that tells how it was made, then the length of each block, as
 * `u32`. A length is written after its block, so that every length stands for bytes that are there.
 */
export class PackJournal {
  readonly #file: FileHandle;
  /** Where each whole block of an earlier try lies. */
  readonly whole: readonly { readonly offset: number; readonly length: number }[];
  /** End of the last of them. */
  readonly wholeEnd: number;
  #at: number;

  private constructor(file: FileHandle, at: number, whole: PackJournal['whole'], wholeEnd: number) {
    this.#file = file;
    this.#at = at;
    this.whole = whole;
    this.wholeEnd = wholeEnd;
  }

  /** @param made what must be equal for blocks to be usable; `start` is where the first one lies in `packed` */
  static async open(path: string, options: { made: string; packed: string; start: number }): Promise<PackJournal> {
    const head = Buffer.from(
      `${bootId()} ${process.versions.zlib} ${process.versions['zstd'] ?? ''} ${options.made}\n`,
    );
    const before = await readFile(path).catch(() => Buffer.alloc(0));
    const size = await stat(options.packed).then(
      (stats) => stats.size,
      () => 0,
    );
    const whole: { offset: number; length: number }[] = [];
    let offset = options.start;
    if (before.subarray(0, head.length).equals(head)) {
      for (let at = head.length; at + 4 <= before.length; at += 4) {
        const length = before.readUInt32LE(at);
        if (length === 0 || offset + length > size) break;
        whole.push({ offset, length });
        offset += length;
      }
    }
    const file = await open(path, whole.length > 0 ? 'r+' : 'w', 0o600);
    const end = head.length + 4 * whole.length;
    if (whole.length === 0) await file.write(head, 0, head.length, 0);
    await file.truncate(end);
    return new PackJournal(file, end, whole, offset);
  }

  /** Notes the next block, whose bytes have been written. */
  async note(length: number): Promise<void> {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(length);
    await this.#file.write(bytes, 0, 4, this.#at);
    this.#at += 4;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  static async remove(path: string): Promise<void> {
    await rm(path, { force: true });
  }
}

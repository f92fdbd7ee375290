import { createHash, randomBytes } from 'node:crypto';
import { type BigIntStats, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** inode, size, mtime and ctime in nanoseconds, content digest, all as text. */
type Row = readonly [ino: string, size: string, mtimeNs: string, ctimeNs: string, sha256: string];

const FORMAT = 1;
/** A file changed this shortly before it was read may change again within the same clock tick. */
const RACY_NS = 2_000_000_000n;

/**
 * Content digests of files that have not changed since they were hashed, one document per context folder.
 * It is a cache in every sense: a lost or torn document costs a re-read.
 */
export class StatCache {
  readonly #file: string;
  readonly #rows: Map<string, Row>;
  #changed = false;

  constructor(folder: string, contextRoot: string) {
    this.#file = `${folder}/${createHash('sha256').update(contextRoot).digest('hex')}.json`;
    this.#rows = load(this.#file);
  }

  get(path: string, stats: BigIntStats): string | undefined {
    const row = this.#rows.get(path);
    const same =
      row &&
      row[0] === String(stats.ino) &&
      row[1] === String(stats.size) &&
      row[2] === String(stats.mtimeNs) &&
      row[3] === String(stats.ctimeNs);
    return same ? row[4] : undefined;
  }

  /** @param scannedAtNs when the scan began, nanoseconds since the epoch */
  set(path: string, stats: BigIntStats, digest: string, scannedAtNs: bigint): void {
    if (stats.mtimeNs > scannedAtNs - RACY_NS || stats.ctimeNs > scannedAtNs - RACY_NS) return;
    this.#rows.set(path, [String(stats.ino), String(stats.size), String(stats.mtimeNs), String(stats.ctimeNs), digest]);
    this.#changed = true;
  }

  save(): void {
    if (!this.#changed) return;
    const temporary = `${this.#file}.${randomBytes(6).toString('hex')}`;
    try {
      mkdirSync(this.#file.slice(0, this.#file.lastIndexOf('/')), { recursive: true });
      writeFileSync(temporary, JSON.stringify({ format: FORMAT, rows: [...this.#rows] }), { flag: 'wx' });
      renameSync(temporary, this.#file);
    } catch {
      rmSync(temporary, { force: true });
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

/** What a tar entry is. Whiteouts are ordinary files named `.wh.*` here; `runtime/snapshot` gives them their meaning. */
export type EntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'character-device' | 'block-device' | 'fifo';

/** One tar entry, without its content. */
export interface TarEntry {
  /** Path with `/`, as in the archive; directories end in `/` there but not here. */
  readonly name: string;
  readonly type: EntryType;
  /** Permission bits with setuid, setgid and sticky, 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content; 0 unless `type` is `file`. */
  readonly size: number;
  /** Seconds since the epoch, may have a fraction. */
  readonly mtime: number;
  /** Target of a symlink or hardlink. */
  readonly linkName?: string;
  readonly major?: number;
  readonly minor?: number;
  /** Extended attributes by full name (`security.capability`), as bytes. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}

declare module 'tar-fs' {
  import type { Readable } from 'node:stream';

  export interface Header {
    name: string;
    mode?: number;
    size?: number;
    uid?: number;
    gid?: number;
    mtime?: Date;
  }

  export interface Pack extends Readable {
    entry(header: Header, content: Buffer): void;
    finalize(): void;
  }

  export interface PackOptions {
    /** True for an absolute path that is left out, with everything below it. */
    ignore?: (path: string) => boolean;
    map?: (header: Header) => Header;
    sort?: boolean;
    strict?: boolean;
    umask?: number;
    finalize?: boolean;
    finish?: (pack: Pack) => void;
  }

  export function pack(folder: string, options?: PackOptions): Pack;
}

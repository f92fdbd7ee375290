import { createReadStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAll } from './content/ingest.ts';
import { tempPath } from './temp.ts';

/** One operation's parts on disk, by key. */
export interface SpoolFolder {
  write(key: string, content: AsyncIterable<Uint8Array>): Promise<number>;
  read(key: string): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Temporary room below the data folder. Files are numbered: keys come from archives and never become paths. */
export function openSpool(dataFolder: string): { open(): Promise<SpoolFolder> } {
  return {
    open: async () => {
      const folder = await tempPath(dataFolder, 'spool');
      await mkdir(folder, { mode: 0o700 });
      const files = new Map<string, string>();
      let count = 0;
      return {
        write: async (key, content) => {
          count += 1;
          const path = join(folder, String(count));
          files.set(key, path);
          const file = await open(path, 'wx', 0o600);
          try {
            let sizeBytes = 0;
            for await (const chunk of content) {
              sizeBytes += chunk.length;
              await writeAll(file, chunk);
            }
            return sizeBytes;
          } finally {
            await file.close();
          }
        },
        read: async function* (key) {
          const path = files.get(key);
          if (path === undefined) throw new Error(`not spooled: ${key}`);
          yield* createReadStream(path, { highWaterMark: 256 * 1024 });
        },
        close: () => rm(folder, { recursive: true, force: true }),
      };
    },
  };
}

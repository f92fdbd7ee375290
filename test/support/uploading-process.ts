import { statSync } from 'node:fs';
import type { Digest } from '../../src/oci/index.ts';
import { createRegistryClient, openSenderProcess, openUploadMemory } from '../../src/registry-client/index.ts';
import { lockFile } from '../../src/runtime/index.ts';

/** Uploads a file as an engine would, and may be killed meanwhile: `registry repository digest file folder script`. */
const [registry, repository, digest, file, folder, script] = process.argv.slice(2) as [string, string, ...string[]];
const client = createRegistryClient({ userAgent: 'test', now: Date.now, uploadChunkBytes: 1 << 20 });
const sender = openSenderProcess({ script: script!, lockPath: `${folder}/sender.lock`, lockFile });
const memory = openUploadMemory(`${folder}/sessions`, Date.now);
await client.uploadBlob(
  { registry: registry as never, repository: repository as never },
  {
    digest: digest as Digest,
    size: statSync(file!).size,
    file: async () => file!,
    open: () => {
      throw new Error('chunks come from the file');
    },
  },
  { memory, sender },
);
await sender.close();
client.close();

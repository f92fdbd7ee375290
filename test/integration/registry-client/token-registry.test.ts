import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseReference, sha256 } from '../../../src/oci/index.ts';
import { createRegistryClient, type Keychain } from '../../../src/registry-client/index.ts';
import { DockerRegistry } from '../../support/docker-registry.ts';
import { until } from '../../support/host.ts';
import { LEEWAY_SECONDS, TokenServer } from '../../support/token-server.ts';

const CHUNK = 1 << 20;
let tokens: TokenServer;
let registry: DockerRegistry;
beforeAll(async () => {
  tokens = await TokenServer.start();
  registry = await DockerRegistry.start({ tokens });
});
afterAll(async () => {
  await registry.close();
  await tokens.close();
});

function client(password: string) {
  const keychain: Keychain = { find: async () => ({ kind: 'password', username: 'berth', password }) };
  return createRegistryClient({ userAgent: 'test', now: Date.now, keychain, uploadChunkBytes: CHUNK });
}

describe('a real registry that verifies signed tokens', () => {
  it('case 1: a token that ends during a long push is renewed, and at most two chunks are read again', async () => {
    const content = randomBytes(4 * CHUNK);
    const reference = parseReference(`${registry.host}/long/push:1`);
    const made = client('swordfish');
    tokens.seconds = 3 - LEEWAY_SECONDS;
    let read = 0;
    let hasWaited = false;
    const source = {
      digest: sha256(content),
      size: content.length,
      async *open(from: number) {
        // The first token has been given out: those that follow live longer than a slow machine takes for a request.
        tokens.seconds = 300;
        for (let at = from; at < content.length; at += CHUNK) {
          const ended = Date.now() + 4000;
          if (at === 2 * CHUNK && !hasWaited) await until(() => Date.now() > ended);
          hasWaited ||= at === 2 * CHUNK;
          read += Math.min(CHUNK, content.length - at);
          yield content.subarray(at, at + CHUNK);
        }
      },
    };
    expect(await made.uploadBlob(reference, source)).toBe('uploaded');
    expect(tokens.given.length).toBeGreaterThanOrEqual(2);
    expect(read).toBeLessThanOrEqual(content.length + 2 * CHUNK);
    expect(await made.headBlob(reference, source.digest)).toBe(content.length);
    made.close();
  });

  it('gives nothing for a wrong password', async () => {
    const made = client('salmon');
    const reference = parseReference(`${registry.host}/long/push:1`);
    await expect(made.headManifest(reference)).rejects.toMatchObject({ kind: 'unauthorized' });
    made.close();
  });
});

import { readlinkSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { createTransport, type Transport } from '../../../src/registry-client/http/transport.ts';
import { FakeRegistry } from '../../support/fake-registry.ts';
import { selfSigned } from '../../support/self-signed.ts';

let registry: FakeRegistry;
let transport: Transport;

afterEach(async () => {
  transport.close();
  await registry.close();
});

it.each([
  ['plain', undefined],
  ['encrypted', selfSigned],
])('tells of each connection once, by its descriptor: %s', async (_, tls) => {
  registry = await FakeRegistry.start(tls ? { tls } : {});
  const seen: string[] = [];
  transport = createTransport({
    userAgent: 'test',
    tlsFor: () => ({ unverified: true }),
    connected: (fd) => seen.push(readlinkSync(`/proc/self/fd/${fd}`)),
  });
  const ask = async () => {
    const response = await transport.send({ method: 'GET', url: new URL('/v2/', registry.origin) });
    await response.read(100, 'the answer');
  };
  await ask();
  await ask();
  expect(seen).toEqual([expect.stringMatching(/^socket:/)]);
  await Promise.all([ask(), ask()]);
  expect(new Set(seen).size).toBe(2);
});

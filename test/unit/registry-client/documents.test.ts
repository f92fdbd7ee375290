import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isBerthError } from '../../../src/errors/index.ts';
import { type Descriptor, mediaTypes, type Platform, parseReference, sha256 } from '../../../src/oci/index.ts';
import { unite } from '../../../src/registry-client/auth/authorizer.ts';
import { parseChallenges } from '../../../src/registry-client/auth/challenge.ts';
import { checkRealm } from '../../../src/registry-client/auth/realm.ts';
import { parseRegistryConfig } from '../../../src/registry-client/config.ts';
import { chooseManifest } from '../../../src/registry-client/documents/choose.ts';
import { parseDocument } from '../../../src/registry-client/documents/parse.ts';
import { endpointsFor } from '../../../src/registry-client/endpoint.ts';
import { retryAfterMs } from '../../../src/registry-client/http/retry.ts';
import { type FetchedDocument, resolveImage } from '../../../src/registry-client/resolve.ts';

const blob = (mediaType: string, text = mediaType): Descriptor => ({
  mediaType,
  digest: sha256(text),
  size: text.length,
});
const manifest = { schemaVersion: 2, config: blob(mediaTypes.ociConfig), layers: [blob(mediaTypes.ociLayerGzip)] };
const index = { schemaVersion: 2, manifests: [blob(mediaTypes.ociManifest)] };
const parse = (value: unknown, type?: string) => parseDocument(Buffer.from(JSON.stringify(value)), type, 'a:1');

describe('a document that is not what it is called', () => {
  it.each([
    ['both at once', { ...manifest, ...index }, undefined],
    ['both at once, called an index', { ...manifest, ...index, mediaType: mediaTypes.ociIndex }, mediaTypes.ociIndex],
    ['an index that is called a manifest', { ...index, mediaType: mediaTypes.ociManifest }, undefined],
    ['a manifest that is sent as an index', manifest, mediaTypes.dockerList],
    ['two names', { ...manifest, mediaType: mediaTypes.ociManifest }, mediaTypes.dockerManifest],
    ['no schemaVersion', { ...manifest, schemaVersion: undefined }, undefined],
    ['a list', [manifest], undefined],
    ['nothing', null, undefined],
    ['a digest of an unknown kind', { ...manifest, config: { ...manifest.config, digest: 'md5:00' } }, undefined],
    ['a negative size', { ...manifest, config: { ...manifest.config, size: -1 } }, undefined],
  ])('case 15: is refused: %s', (_name, value, type) => {
    expect(() => parse(value, type)).toThrow(/is refused/);
  });

  it.each([
    ['without mediaType and header', manifest, undefined, mediaTypes.ociManifest],
    ['without mediaType', manifest, mediaTypes.dockerManifest, mediaTypes.dockerManifest],
    [
      'with a header that says nothing',
      { ...manifest, mediaType: mediaTypes.ociManifest },
      'text/plain; charset=utf-8',
      mediaTypes.ociManifest,
    ],
    ['an index', index, `${mediaTypes.ociIndex}; charset=utf-8`, mediaTypes.ociIndex],
  ])('is taken %s', (_name, value, type, mediaType) => {
    expect(parse(value, type).mediaType).toBe(mediaType);
  });

  it('case 15: never fails in another way, whatever comes', () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
    );
    fc.assert(
      fc.property(bytes, fc.option(fc.string(), { nil: undefined }), (document, type) => {
        try {
          parseDocument(document, type, 'a');
        } catch (error) {
          expect(isBerthError(error)).toBe(true);
        }
      }),
    );
    const deep = '['.repeat(2_000_000);
    expect(() => parseDocument(Buffer.from(`{"schemaVersion":2,"layers":${deep}`), undefined, 'a')).toThrow(/refused/);
  });
});

describe('the image of an index', () => {
  const entry = (platform: Partial<Platform> | undefined, annotations?: Record<string, string>): Descriptor => ({
    ...blob(mediaTypes.ociManifest, JSON.stringify([platform, annotations])),
    ...(platform ? { platform: { os: 'linux', architecture: 'amd64', ...platform } } : {}),
    ...(annotations ? { annotations } : {}),
  });
  const arm = (variant?: string) => entry({ architecture: 'arm', ...(variant ? { variant } : {}) });
  const on = (architecture: string, variant?: string): Platform => ({
    os: 'linux',
    architecture,
    ...(variant ? { variant } : {}),
  });

  it('case 14: suits the variant best', () => {
    expect(chooseManifest([arm('v5'), arm('v6'), arm('v7')], on('arm', 'v7'))).toEqual(arm('v7'));
    expect(chooseManifest([arm('v5'), arm('v6')], on('arm', 'v7'))).toEqual(arm('v6'));
    expect(chooseManifest([arm('v7')], on('arm', 'v6'))).toBeUndefined();
    expect(chooseManifest([entry({ architecture: 'arm64', variant: 'v8' })], on('arm64'))).toBeDefined();
    expect(chooseManifest([entry({ variant: 'v3' }), entry({})], on('amd64'))).toEqual(entry({}));
  });

  it('case 14: is never an attestation', () => {
    const attestation = entry({ os: 'unknown', architecture: 'unknown' });
    const marked = entry(undefined, { 'vnd.docker.reference.type': 'attestation-manifest' });
    expect(chooseManifest([attestation, marked], on('amd64'))).toBeUndefined();
    expect(chooseManifest([attestation, entry({})], on('amd64'))).toEqual(entry({}));
  });

  it('case 14: is found in an index within an index, but not for ever', async () => {
    const reference = parseReference('r.example/a:1');
    const fetched = (value: object): FetchedDocument => {
      const bytes = Buffer.from(JSON.stringify(value));
      return { bytes, digest: sha256(bytes), document: parseDocument(bytes, undefined, 'a') };
    };
    const inner = { schemaVersion: 2, manifests: [entry({})] };
    const outer = { schemaVersion: 2, manifests: [blob(mediaTypes.ociIndex)] };
    const answers = [outer, inner, manifest];
    const image = await resolveImage(reference, on('amd64'), async () => fetched(answers.shift()!));
    expect(image.digest).toBe(fetched(outer).digest);
    await expect(resolveImage(reference, on('amd64'), async () => fetched(outer))).rejects.toThrow(
      /nested more than 4/,
    );
  });
});

describe('challenges', () => {
  it('are read with commas in quotes, and several in one header', () => {
    const header = 'Bearer realm="https://a/t",service="r",scope="repository:x:pull,push", Basic realm="a \\"b\\""';
    expect(parseChallenges(header)).toEqual([
      { scheme: 'bearer', parameters: { realm: 'https://a/t', service: 'r', scope: 'repository:x:pull,push' } },
      { scheme: 'basic', parameters: { realm: 'a "b"' } },
    ]);
    expect(parseChallenges('Negotiate abc==, basic Realm=x')).toBeDefined();
  });

  it('are never a reason to fail', () => {
    fc.assert(fc.property(fc.string(), (header) => Array.isArray(parseChallenges(header))));
  });

  it('ask for the union of what is wanted', () => {
    expect(unite(['repository:x:pull'], 'repository:x:push repository:y:pull')).toEqual([
      'repository:x:pull,push',
      'repository:y:pull',
    ]);
  });

  it.each([
    ['https://hub.example', 'https://auth.example/token', true],
    ['https://hub.example', 'http://auth.example/token', false],
    ['https://hub.example', 'https://10.0.0.1/token', false],
    ['https://hub.example', 'https://localhost/token', false],
    ['https://hub.example', 'https://[fe80::1]/token', false],
    ['https://10.0.0.2', 'https://10.0.0.1/token', true],
    ['http://127.0.0.1:5000', 'http://127.0.0.1:5001/token', true],
    ['http://127.0.0.1:5000', 'http://169.254.169.254/token', false],
  ])('case 18: from %s may lead to %s: %s', (registry, realm, allowed) => {
    const check = () => checkRealm(realm, new URL(registry));
    if (allowed) expect(check().href).toBe(realm);
    else expect(check).toThrow(/refused/);
  });
});

describe('Retry-After', () => {
  it('case 2: is seconds or a date', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    expect(retryAfterMs('3', now)).toBe(3000);
    expect(retryAfterMs('Thu, 01 Jan 2026 00:00:05 GMT', now)).toBe(5000);
    expect(retryAfterMs('Thu, 01 Jan 2020 00:00:05 GMT', now)).toBe(0);
    expect(retryAfterMs('soon', now)).toBeUndefined();
  });
});

describe('places of a repository', () => {
  it('knows Docker Hub’s own host', () => {
    const [place] = endpointsFor(parseReference('busybox'), {}, 'pull');
    expect(place).toMatchObject({
      repository: 'library/busybox',
      host: { authority: 'registry-1.docker.io', credentialKey: 'docker.io', insecure: false },
    });
  });

  it.each(['localhost', 'localhost:5000', '127.0.0.1:5000', '127.8.9.1:5000', '[::1]:5000'])(
    'may speak plain http with %s',
    (registry) => {
      expect(endpointsFor({ registry, repository: 'a' }, {}, 'pull')[0]?.host.insecure).toBe(true);
    },
  );

  it.each(['127.evil.example', 'localhost.evil.example:5000', '10.0.0.1:5000', '[::2]:5000'])(
    'must not with %s',
    (registry) => {
      expect(endpointsFor({ registry, repository: 'a' }, {}, 'pull')[0]?.host.insecure).toBe(false);
    },
  );

  it('takes the rule with the longest prefix of whole components, and writes to no mirror', () => {
    const config = parseRegistryConfig({
      rules: [
        { prefix: 'ghcr.io', mirrors: ['m.example/ghcr'] },
        {
          prefix: 'ghcr.io/team',
          location: 'https://own.example/x',
          mirrors: [{ location: 'n.example', insecure: true }],
        },
      ],
    });
    const places = (name: string, action: 'pull' | 'push') =>
      endpointsFor(parseReference(name), config, action).map(
        ({ host, repository }) => `${host.authority}/${repository}`,
      );
    expect(places('ghcr.io/team/a', 'pull')).toEqual(['n.example/a', 'own.example/x/a']);
    expect(places('ghcr.io/team/a', 'push')).toEqual(['own.example/x/a']);
    expect(places('ghcr.io/teamster/a', 'pull')).toEqual(['m.example/ghcr/teamster/a', 'ghcr.io/teamster/a']);
  });

  it.each([
    [{ rule: [] }, 'rule is not a known setting'],
    [{ rules: [{ location: 'x' }] }, 'rules[0].prefix is missing'],
    [{ rules: [{ prefix: 'x', blocked: 'yes' }] }, 'rules[0].blocked must be pull, push or all'],
    [{ rules: [{ prefix: 'x', mirrors: [{}] }] }, 'rules[0].mirrors[0].location is missing'],
    [[], 'it must be an object'],
  ])('names what is wrong in the configuration: %j', (value, text) => {
    expect(() => parseRegistryConfig(value)).toThrow(text);
  });
});

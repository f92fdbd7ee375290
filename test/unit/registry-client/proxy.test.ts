import { afterEach, describe, expect, it } from 'vitest';
import { proxiesOf } from '../../../src/registry-client/http/proxy.ts';
import { FakeProxy } from '../../support/fake-proxy.ts';
import { FakeRegistry } from '../../support/fake-registry.ts';
import { layer, PullBench } from '../../support/registry-sink.ts';

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const dispose of cleanUp.splice(0)) await dispose();
});

describe('the proxy for an address', () => {
  const env = {
    HTTPS_PROXY: 'proxy.lan:3128',
    http_proxy: 'http://plain.lan',
    NO_PROXY: 'own.lan, .corp.example,10.0.0.1, [::2], with.port:5000',
  };

  it.each([
    ['https://registry.example/v2/', 'proxy.lan:3128'],
    ['http://registry.example/v2/', 'plain.lan'],
    ['https://own.lan/', undefined],
    ['https://sub.own.lan/', undefined],
    ['https://notown.lan/', 'proxy.lan:3128'],
    ['https://a.corp.example/', undefined],
    ['https://10.0.0.1:5000/', undefined],
    ['https://with.port:5000/', undefined],
    ['https://with.port/', 'proxy.lan:3128'],
    ['https://localhost:5000/', undefined],
    ['http://127.0.0.1:5000/', undefined],
    ['https://[::1]:5000/', undefined],
  ])('%s is %s', (url, proxy) => {
    expect(proxiesOf(env)(new URL(url))?.host).toBe(proxy);
  });

  it('is none for everybody with *, and without variables', () => {
    const url = new URL('https://registry.example/');
    expect(proxiesOf({ ...env, NO_PROXY: '*' })(url)).toBeUndefined();
    expect(proxiesOf({})(url)).toBeUndefined();
    expect(proxiesOf({ HTTPS_PROXY: 'socks5://x' })(url)).toBeUndefined();
  });
});

describe('a pull by way of a proxy', () => {
  it('asks it for a tunnel first, and plainly where plain http is allowed', async () => {
    const registry = await FakeRegistry.start();
    const proxy = await FakeProxy.start(registry.host);
    registry.addImage('a', '1', [layer('one')]);
    const bench = new PullBench({
      env: { HTTPS_PROXY: `http://user:pw@${proxy.host}`, HTTP_PROXY: proxy.host },
      config: { rules: [{ prefix: 'registry.test:5000', insecure: true }] },
    });
    cleanUp.push(
      () => registry.close(),
      () => proxy.close(),
      () => bench.dispose(),
    );
    await bench.pull('registry.test:5000/a:1');
    expect(bench.sink.layers.size).toBe(1);
    expect(proxy.requests.slice(0, 3)).toEqual([
      'CONNECT registry.test:5000 as user:pw',
      'http://registry.test:5000/v2/',
      'http://registry.test:5000/v2/a/manifests/1',
    ]);
    expect(registry.requests.every(({ headers }) => headers['proxy-authorization'] === undefined)).toBe(true);
  });

  it('says that the proxy failed, without its password', async () => {
    const registry = await FakeRegistry.start();
    const proxy = await FakeProxy.start('127.0.0.1:1');
    const bench = new PullBench({ env: { HTTPS_PROXY: `http://user:s3cret@${registry.host}` } });
    cleanUp.push(
      () => registry.close(),
      () => proxy.close(),
      () => bench.dispose(),
    );
    const failure = await bench.pull('registry.test/a:1').catch((error: Error) => error);
    expect(failure).toMatchObject({ kind: 'unavailable' });
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain('s3cret');
  });
});

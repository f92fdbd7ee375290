import { execFile } from 'node:child_process';
import { closeSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Names } from '../../../src/network/dns/container-names.ts';
import { nameData } from '../../../src/network/dns/encode.ts';
import { type Message, rcodes, replyTo, types } from '../../../src/network/dns/message.ts';
import { askOverTcp, datagramSocket, question } from './dns-client.ts';
import { DnsContainer } from './dns-container.ts';
import { addressReply, OutsideServer } from './dns-upstream.ts';

const names: Names = {
  lookup: (name) => (name === 'web' ? { ipv4: ['10.0.0.2', '10.0.0.3'], ipv6: [] } : undefined),
  reverse: (ip) => (ip === '10.0.0.2' ? ['web.front-end'] : undefined),
};
const addresses = ({ answers }: Message) => answers.map(({ data }) => [...data].join('.')).sort();
const upstreamOf = (...servers: readonly OutsideServer[]) => ({
  servers: servers.map(({ address }) => address),
  options: ['timeout:30', 'attempts:1'],
});
const ownAddress = (query: Message) => [addressReply(query, ['192.0.2.1'])];
/** A server that takes questions and says nothing. */
const silence = () => [];

describe('the resolver in a container', () => {
  it('is found at port 53 by programs that were not told otherwise', async () => {
    using container = await DnsContainer.start({ names });
    const look = async (name: string) => {
      const args = [`--net=${container.sandbox.path}`, 'busybox', 'nslookup', name, '127.0.0.11'];
      return (await promisify(execFile)('nsenter', args)).stdout;
    };
    expect(await look('web')).toMatch(/Address: 10\.0\.0\.2\n[\s\S]*Address: 10\.0\.0\.3\n/);
    expect(await look('10.0.0.2')).toContain('2.0.0.10.in-addr.arpa\tname = web.front-end');
  });

  it('answers many questions on one connection', async () => {
    await using outside = await OutsideServer.start(ownAddress);
    using container = await DnsContainer.start({ names, upstream: upstreamOf(outside) });
    const asked = Array.from({ length: 60 }, (_, at) => question(at % 2 ? `host${at}.test` : 'WEB', types.A));
    const answers = await askOverTcp(container.tcpSocket(), asked);
    for (const [at, one] of asked.entries()) {
      expect(answers.get(at)?.questions).toEqual(one.questions);
      expect(addresses(answers.get(at)!)).toEqual(at % 2 ? ['192.0.2.1'] : ['10.0.0.2', '10.0.0.3']);
    }
    // Who asks over TCP is asked for over TCP.
    expect(new Set(outside.asked.map(({ transport }) => transport))).toEqual(new Set(['tcp']));
  });

  it('leaves port 53 to the container', async () => {
    using container = await DnsContainer.start({ names });
    const own = container.sandbox.inside(() => datagramSocket([0, 0, 0, 0], 53));
    expect(addresses(await container.client.ask('web', types.A))).toEqual(['10.0.0.2', '10.0.0.3']);
    closeSync(own);
  });

  it('is there again after the engine was', async () => {
    using container = await DnsContainer.start({ names });
    await container.serve({ names: { ...names, lookup: () => ({ ipv4: ['10.9.9.9'], ipv6: [] }) } });
    expect(addresses(await container.client.ask('web', types.A))).toEqual(['10.9.9.9']);
  });

  it('lives on whatever it is sent', async () => {
    using container = await DnsContainer.start({ names });
    for (let at = 0; at < 500; at += 1) {
      const noise = Buffer.from(Array.from({ length: at }, (_, place) => (place * 31 + at * 7) & 0xff));
      container.client.send(noise);
    }
    expect(addresses(await container.client.ask('web', types.A))).toEqual(['10.0.0.2', '10.0.0.3']);
  });
});

describe('names of the outside', () => {
  it('are asked for once, remembered, and each time by another id and port', async () => {
    await using outside = await OutsideServer.start(ownAddress);
    using container = await DnsContainer.start({ upstream: upstreamOf(outside) });
    const many = await Promise.all(Array.from({ length: 20 }, () => container.client.ask('one.test', types.A)));
    expect(many.map(addresses)).toEqual(many.map(() => ['192.0.2.1']));
    expect(outside.asked).toHaveLength(1);
    await container.client.ask('ONE.test', types.A);
    expect(outside.asked).toHaveLength(1);
    await Promise.all(Array.from({ length: 30 }, (_, at) => container.client.ask(`n${at}.test`, types.A)));
    expect(new Set(outside.asked.map(({ id }) => id)).size).toBeGreaterThan(25);
    expect(new Set(outside.asked.map(({ port }) => port)).size).toBeGreaterThan(25);
  });

  it('are not asked for by a container without a way out', async () => {
    await using outside = await OutsideServer.start(ownAddress);
    using container = await DnsContainer.start({ names });
    expect((await container.client.ask('one.test', types.A)).rcode).toBe(rcodes.serverFailure);
    expect(addresses(await container.client.ask('web', types.A))).toEqual(['10.0.0.2', '10.0.0.3']);
    expect(outside.asked).toEqual([]);
  });

  it('are not believed from who answers another question', async () => {
    await using liar = await OutsideServer.start((query) => [
      { ...addressReply(query, ['6.6.6.6']), id: query.id ^ 1 },
      addressReply({ ...query, questions: [{ name: 'other.test', type: types.A, class: 1 }] }, ['6.6.6.6']),
      addressReply({ ...query, questions: [{ name: 'one.test', type: types.AAAA, class: 1 }] }, ['6.6.6.6']),
      { ...addressReply(query, ['6.6.6.6']), response: false },
      addressReply(query, ['192.0.2.1']),
    ]);
    using container = await DnsContainer.start({ upstream: upstreamOf(liar) });
    expect(addresses(await container.client.ask('one.test', types.A))).toEqual(['192.0.2.1']);
  });

  it('come whole over TCP when they do not fit, and are cut for who cannot take them', async () => {
    const all = Array.from({ length: 300 }, (_, at) => `192.0.${at >> 8}.${at & 255}`);
    await using outside = await OutsideServer.start((query, transport) =>
      transport === 'tcp' ? [addressReply(query, all)] : [{ ...replyTo(query, rcodes.noError), truncated: true }],
    );
    using container = await DnsContainer.start({ upstream: upstreamOf(outside) });
    const edns = { udpSize: 8192, version: 0, dnssecOk: false, options: Buffer.from([0, 10, 0, 1, 7]) };
    const large = await container.client.ask('large.test', types.A, { edns });
    expect([large.truncated, addresses(large)]).toEqual([false, all.toSorted()]);
    const small = await container.client.ask('large.test', types.A);
    expect([small.truncated, small.answers.length > 0]).toEqual([true, true]);
    expect(outside.asked.map(({ transport }) => transport)).toEqual(['udp', 'tcp', 'udp', 'tcp']);
  });

  it('come from the next server when one is silent, gone, or does not want to', async () => {
    await using silent = await OutsideServer.start(silence);
    await using unwilling = await OutsideServer.start((query) => [replyTo(query, rcodes.refused)]);
    await using good = await OutsideServer.start(ownAddress);
    const gone = await OutsideServer.start(silence);
    const upstream = upstreamOf(gone, unwilling, good);
    await gone[Symbol.asyncDispose]();
    using one = await DnsContainer.start({ upstream });
    expect(addresses(await one.client.ask('one.test', types.A))).toEqual(['192.0.2.1']);
    const patient = { ...upstreamOf(silent, good), options: ['timeout:1', 'attempts:5'] };
    using other = await DnsContainer.start({ upstream: patient });
    expect(addresses(await other.client.ask('one.test', types.A))).toEqual(['192.0.2.1']);
    using last = await DnsContainer.start({ upstream: upstreamOf(unwilling) });
    expect((await last.client.ask('one.test', types.A)).rcode).toBe(rcodes.serverFailure);
    expect(unwilling.asked.length).toBeGreaterThanOrEqual(2);
  });

  it('may be of any type, and may not exist', async () => {
    const soa = {
      name: 'test',
      type: types.SOA,
      class: 1,
      ttl: 60,
      data: Buffer.concat([nameData('ns.test'), nameData('me.test'), Buffer.alloc(20, 1)]),
    };
    const srv = { type: types.SRV, class: 1, ttl: 9, data: Buffer.concat([Buffer.alloc(6, 1), nameData('host.test')]) };
    await using outside = await OutsideServer.start((query) => {
      const { name = '', type } = query.questions[0] ?? {};
      if (type === types.SRV) return [{ ...replyTo(query, rcodes.noError), answers: [{ name, ...srv }] }];
      return [{ ...replyTo(query, rcodes.nameError), authorities: [soa] }];
    });
    using container = await DnsContainer.start({ upstream: upstreamOf(outside) });
    const service = await container.client.ask('_x._tcp.test', types.SRV);
    expect(service.answers).toEqual([{ name: '_x._tcp.test', ...srv }]);
    for (let time = 0; time < 2; time += 1) {
      const none = await container.client.ask('none.test', types.A);
      expect([none.rcode, none.authorities[0]?.data]).toEqual([rcodes.nameError, soa.data]);
    }
    expect(outside.asked).toHaveLength(2);
  });
});

describe('a container that asks without end', () => {
  it('is refused, while others and its own neighbours are answered', async () => {
    await using silent = await OutsideServer.start(silence);
    const upstream = upstreamOf(silent);
    using flooder = await DnsContainer.start({ names, upstream });
    using other = await DnsContainer.start({ names });
    const flood = Array.from({ length: 1000 }, (_, at) => flooder.client.ask(`n${at}.test`, types.A));
    // Those that wait hold all the places; one more is told so at once.
    const refused = await Promise.any(
      flood.map(async (one) => {
        const answer = await one;
        if (answer.rcode !== rcodes.refused) throw new Error('not refused');
        return answer;
      }),
    );
    expect(refused.answers).toEqual([]);
    expect(addresses(await other.client.ask('web', types.A))).toEqual(['10.0.0.2', '10.0.0.3']);
    expect(addresses(await flooder.client.ask('web', types.A))).toEqual(['10.0.0.2', '10.0.0.3']);
    expect(silent.asked.length).toBeLessThanOrEqual(128);
  });
});

import { describe, expect, it } from 'vitest';
import { AnswerCache, lifetime } from '../../../../src/network/dns/answer-cache.ts';
import { type Names, reversedIp } from '../../../../src/network/dns/container-names.ts';
import { decodeMessage } from '../../../../src/network/dns/decode.ts';
import { encodeMessage, nameData } from '../../../../src/network/dns/encode.ts';
import { type Message, type ResourceRecord, rcodes, replyTo, types } from '../../../../src/network/dns/message.ts';
import { Resolver } from '../../../../src/network/dns/resolver.ts';
import { planUpstream } from '../../../../src/network/dns/upstream.ts';

const known: Readonly<Record<string, { readonly ipv4: readonly string[]; readonly ipv6: readonly string[] }>> = {
  web: { ipv4: ['10.0.0.2', '10.0.0.3', '10.0.0.4'], ipv6: [] },
  'web.front-end': { ipv4: ['10.0.0.2'], ipv6: ['fd00::2'] },
  six: { ipv4: [], ipv6: ['fd00::6'] },
  many: { ipv4: Array.from({ length: 200 }, (_, at) => `10.0.1.${at}`), ipv6: [] },
};
const names: Names = {
  lookup: (name) => known[name],
  reverse: (ip) => ({ '10.0.0.2': ['web.front-end'], 'fd00::2': ['web.front-end'], '10.0.0.9': ['not a name'] })[ip],
};

const query = (name: string, type: number, more: Partial<Message> = {}): Message => ({
  ...replyTo({ ...blank, id: 77 }, rcodes.noError),
  response: false,
  recursionAvailable: false,
  questions: [{ name, type, class: 1 }],
  ...more,
});
const resolver = () => new Resolver({ names, upstream: () => undefined });
const ask = (name: string, type: number, more?: Partial<Message>, of = resolver()): Message =>
  decodeMessage(of.answer(encodeMessage(query(name, type, more)), 'udp') as Buffer)!;
const addresses = ({ answers }: Message) => answers.map(({ data }) => [...data].join('.'));

describe('the answer about a container', () => {
  it('has its addresses, under the name as it was asked', () => {
    const answer = ask('Web.Front-End', types.A);
    expect(answer).toMatchObject({ id: 77, response: true, recursionAvailable: true, rcode: 0, truncated: false });
    expect(answer.answers).toEqual([
      { name: 'Web.Front-End', type: types.A, class: 1, ttl: 600, data: Buffer.from([10, 0, 0, 2]) },
    ]);
    expect(ask('six', types.AAAA).answers[0]?.data.toString('hex')).toBe('fd000000000000000000000000000006');
  });

  it('has all of them, another one first each time', () => {
    const one = resolver();
    const orders = [0, 1, 2, 3].map(() => addresses(ask('web', types.A, {}, one)));
    expect(orders.map(([first]) => first)).toEqual(['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.2']);
    expect(orders[1]).toEqual(['10.0.0.3', '10.0.0.4', '10.0.0.2']);
  });

  it.each([
    ['six', types.A],
    ['web', types.AAAA],
    ['web', types.MX],
    ['web', types.TXT],
    ['web', 65],
  ])('is nothing, not "no such name", when %s has no type %d', (name, type) => {
    expect(ask(name, type)).toMatchObject({ rcode: rcodes.noError, answers: [] });
  });

  it('is its name and network for an address', () => {
    const answer = ask('2.0.0.10.in-addr.ARPA', types.PTR);
    expect(answer.answers[0]?.data).toEqual(nameData('web.front-end'));
    const six = `${['2', ...Array(29).fill('0'), 'd', 'f'].join('.')}.ip6.arpa`;
    expect(reversedIp(six)).toBe('fd00:0:0:0:0:0:0:2'.replace(':0:0:0:0:0:0:', '::'));
    expect(ask(six, types.PTR).answers).toHaveLength(1);
    expect(ask('9.0.0.10.in-addr.arpa', types.PTR)).toMatchObject({ rcode: 0, answers: [] });
  });

  it.each(['1.2.3.in-addr.arpa', '256.0.0.1.in-addr.arpa', '01.0.0.1.in-addr.arpa', 'a.b.ip6.arpa', 'in-addr.arpa'])(
    '%s is no address',
    (name) => {
      expect(reversedIp(name)).toBeUndefined();
    },
  );

  it('is cut to what the asker can take, and whole over TCP', () => {
    const small = ask('many', types.A);
    expect(small.truncated).toBe(true);
    expect(small.answers.length).toBeGreaterThan(20);
    const edns = { udpSize: 4096, version: 0, dnssecOk: false, options: Buffer.alloc(0) };
    const large = ask('many', types.A, { edns });
    expect([large.truncated, large.answers.length, large.edns?.version]).toEqual([false, 200, 0]);
    const tcp = resolver().answer(encodeMessage(query('many', types.A)), 'tcp') as Buffer;
    expect(decodeMessage(tcp)).toMatchObject({ truncated: false, answers: { length: 200 } });
  });
});

describe('a question that nobody can answer', () => {
  it('stays inside when there is no way out', () => {
    expect(ask('example.org', types.A).rcode).toBe(rcodes.serverFailure);
    expect(ask('nobody', types.A).rcode).toBe(rcodes.serverFailure);
    const noServers = new Resolver({ names, upstream: () => ({ servers: [], options: [] }) });
    expect(ask('example.org', types.A, {}, noServers).rcode).toBe(rcodes.serverFailure);
  });

  it('is not asked for without a domain when ndots wants one', () => {
    const upstream = { servers: [], options: ['ndots:1'] };
    const held = new Resolver({ names, upstream: () => upstream });
    expect(ask('nobody', types.A, {}, held)).toMatchObject({ rcode: rcodes.noError, answers: [] });
    expect(ask('nobody', types.TXT, {}, held).rcode).toBe(rcodes.serverFailure);
  });

  it('gets an error that says what is wrong with it, or nothing', () => {
    const one = resolver();
    const raw = (message: Message) => {
      const answer = one.answer(encodeMessage(message), 'udp') as Buffer | undefined;
      return answer && decodeMessage(answer);
    };
    const plain = query('web', types.A);
    expect(raw({ ...plain, response: true })).toBeUndefined();
    expect(one.answer(Buffer.alloc(5), 'udp')).toBeUndefined();
    expect(raw({ ...plain, opcode: 5 })?.rcode).toBe(rcodes.notImplemented);
    expect(raw({ ...plain, questions: [] })).toMatchObject({ id: 77, rcode: rcodes.formatError });
    expect(raw({ ...plain, answers: [record(types.A, 1)] })?.rcode).toBe(rcodes.formatError);
    const edns = { udpSize: 512, version: 1, dnssecOk: false, options: Buffer.alloc(0) };
    expect(raw({ ...plain, edns })?.rcode).toBe(rcodes.badVersion);
    const cut = one.answer(encodeMessage(plain).subarray(0, 14), 'udp') as Buffer;
    expect(decodeMessage(cut)).toMatchObject({ id: 77, rcode: rcodes.formatError, questions: [] });
  });
});

describe('settings of upstream servers', () => {
  it('are those of the C library, within bounds', () => {
    expect(planUpstream({ servers: ['127.0.0.53', 'fe80::1%eth0', '10.0.0.1#5353'], options: ['rotate'] })).toEqual({
      servers: [
        { address: '127.0.0.53', port: 53 },
        { address: 'fe80::1%eth0', port: 53 },
        { address: '10.0.0.1', port: 5353 },
      ],
      timeoutMs: 4000,
      attempts: 2,
      rotate: true,
      holdsBareNames: false,
    });
    const options = ['timeout:99', 'timeout:1', 'attempts:0', 'ndots:1', 'attempts:x'];
    const servers = ['x', '127.0.0.11', '1.1.1.1#0', '1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'];
    const plan = planUpstream({ servers, options });
    expect(plan).toMatchObject({ timeoutMs: 1000, attempts: 2, holdsBareNames: true });
    expect(plan.servers.map(({ address }) => address)).toEqual(['1.1.1.1', '1.1.1.2', '1.1.1.3']);
  });
});

describe('what is remembered of answers', () => {
  const reply = (more: Partial<Message>): Message => ({ ...replyTo(query('a.b', types.A), 0), ...more });
  const soa = (ttl: number, minimum: number): ResourceRecord => {
    const data = Buffer.concat([nameData('ns'), nameData('me'), Buffer.alloc(20)]);
    data.writeUInt32BE(minimum, data.length - 4);
    return { ...record(types.SOA, ttl), data };
  };

  it.each([
    ['an address', { answers: [record(types.CNAME, 50), record(types.A, 90)] }, 50],
    ['an address for days', { answers: [record(types.A, 1e6)] }, 3600],
    ['an address for now', { answers: [record(types.A, 0)] }, 0],
    ['no such name', { rcode: rcodes.nameError, authorities: [soa(100, 60)] }, 60],
    ['no such name, by a short SOA', { rcode: rcodes.nameError, authorities: [soa(20, 60)] }, 20],
    ['no such name for days', { rcode: rcodes.nameError, authorities: [soa(1e6, 1e6)] }, 300],
    ['no such name, without a reason', { rcode: rcodes.nameError }, 0],
    ['an alias of nothing', { answers: [record(types.CNAME, 10)], authorities: [soa(90, 90)] }, 10],
    ['a failure', { rcode: rcodes.serverFailure, answers: [record(types.A, 90)] }, 0],
    ['a part', { truncated: true, answers: [record(types.A, 90)] }, 0],
  ] as const)('%s', (_, more, seconds) => {
    expect(lifetime(reply(more as Partial<Message>))).toBe(seconds);
  });

  it('grows old and ends', () => {
    const cache = new AnswerCache();
    cache.put('k', reply({ answers: [record(types.A, 60)] }), 1000);
    expect(cache.get('k', 1000)?.answers[0]?.ttl).toBe(60);
    expect(cache.get('k', 31_900)?.answers[0]?.ttl).toBe(30);
    expect(cache.get('k', 61_000)).toBeUndefined();
    expect(cache.get('k', 1000)).toBeUndefined();
  });

  it('is bounded by number and by size, and what was not asked for goes first', () => {
    const cache = new AnswerCache();
    const small = reply({ answers: [record(types.A, 60)] });
    for (let at = 0; at < 1024; at += 1) cache.put(`${at}`, small, 0);
    cache.get('0', 0);
    cache.put('new', small, 0);
    expect(['0', '1', '2', 'new'].map((key) => cache.get(key, 0) !== undefined)).toEqual([true, false, true, true]);
    const large = reply({ answers: [{ ...record(types.TXT, 60), type: types.A, data: Buffer.alloc(60_000) }] });
    for (let at = 0; at < 100; at += 1) cache.put(`large ${at}`, large, 0);
    const kept = Array.from({ length: 100 }, (_, at) => cache.get(`large ${at}`, 0)).filter(Boolean);
    expect(kept.length).toBe(17);
  });
});

const blank = { ...replyTo({} as Message, 0), recursionDesired: true, checkingDisabled: false, opcode: 0 };

function record(type: number, ttl: number): ResourceRecord {
  return { name: 'a.b', type, class: 1, ttl, data: type === types.CNAME ? nameData('c') : Buffer.from([1, 2, 3, 4]) };
}

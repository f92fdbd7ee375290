import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  contains,
  formatIp,
  formatPrefix,
  type IpAddress,
  ipBytes,
  ipOfBytes,
  overlaps,
  parseIp,
  parsePrefix,
} from '../../../src/network/address/ip.ts';
import { macOfIp, parseMac } from '../../../src/network/address/mac.ts';
import { AddressPool } from '../../../src/network/address/pool.ts';
import { completeSubnet, freeSubnet, localV6Pool, refuseOverlap } from '../../../src/network/address/subnets.ts';

const v4: fc.Arbitrary<IpAddress> = fc.bigInt(0n, 2n ** 32n - 1n).map((value) => ({ family: 4, value }));
const v6: fc.Arbitrary<IpAddress> = fc.bigInt(0n, 2n ** 128n - 1n).map((value) => ({ family: 6, value }));

describe('IP addresses', () => {
  it('are the same after text and after bytes', () => {
    fc.assert(
      fc.property(fc.oneof(v4, v6), (address) => {
        expect(parseIp(formatIp(address))).toEqual(address);
        expect(ipOfBytes(ipBytes(address))).toEqual(address);
      }),
    );
  });

  it('are read in every form that IPv6 has', () => {
    fc.assert(
      fc.property(fc.ipV6().filter(isIPv6), (text) => {
        expect(parseIp(formatIp(parseIp(text)))).toEqual(parseIp(text));
      }),
    );
    expect(formatIp(parseIp('2001:0DB8:0:0:1:0:0:1'))).toBe('2001:db8::1:0:0:1');
    expect(formatIp(parseIp('::'))).toBe('::');
    expect(formatIp(parseIp('::ffff:10.0.0.1'))).toBe('::ffff:a00:1');
    expect(formatIp(parseIp('1:0:2:3:4:5:6:7'))).toBe('1:0:2:3:4:5:6:7');
  });

  it.each(['10.0.0', '10.0.0.256', '1::2::3', 'host', 'fe80::1%eth0', ''])('refuses %j', (text) => {
    expect(() => parseIp(text)).toThrow(`invalid IP address: ${text}`);
  });

  it.each(['10.0.0.0', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', 'fd00::/129', '/8'])('%j is no prefix', (text) => {
    expect(() => parsePrefix(text)).toThrow(`invalid CIDR address: ${text}`);
  });

  it('belong to prefixes, which overlap or not', () => {
    expect(formatPrefix(parsePrefix('10.1.2.3/16'))).toBe('10.1.0.0/16');
    expect(contains(parsePrefix('10.1.0.0/16'), parseIp('10.1.255.255'))).toBe(true);
    expect(contains(parsePrefix('10.1.0.0/16'), parseIp('10.2.0.0'))).toBe(false);
    expect(overlaps(parsePrefix('10.0.0.0/8'), parsePrefix('10.9.0.0/24'))).toBe(true);
    expect(overlaps(parsePrefix('10.0.0.0/9'), parsePrefix('10.128.0.0/9'))).toBe(false);
    expect(overlaps(parsePrefix('::/0'), parsePrefix('0.0.0.0/0'))).toBe(false);
  });
});

describe('hardware addresses', () => {
  it('are made from IPv4 addresses and read from text', () => {
    expect(macOfIp('172.17.0.2')).toBe('02:42:ac:11:00:02');
    expect([...parseMac('02-42-AC-11-00-02')]).toEqual([2, 66, 172, 17, 0, 2]);
    expect(() => parseMac('02:42')).toThrow('02:42 is not a valid mac address');
    expect(() => parseMac('01:00:5e:00:00:01')).toThrow('multicast');
  });
});

describe('the addresses of a subnet', () => {
  const config = { subnet: '10.5.0.0/28', gateway: '10.5.0.1', auxiliary: { router: '10.5.0.5' } };

  it('are all of it but the gateway, auxiliary ones, the first and the last', () => {
    const pool = new AddressPool(config);
    const given = Array.from({ length: 12 }, () => pool.take());
    expect(new Set(given).size).toBe(12);
    for (const reserved of ['10.5.0.0', '10.5.0.1', '10.5.0.5', '10.5.0.15']) expect(given).not.toContain(reserved);
    expect(() => pool.take()).toThrow("no available IPv4 addresses on this network's address pools");
    pool.release('10.5.0.9');
    expect(pool.take()).toBe('10.5.0.9');
  });

  it('are never given out twice, stay inside, and rest before they come again', () => {
    const steps = fc.array(fc.oneof(fc.constant('take' as const), fc.nat(30)), { maxLength: 80 });
    fc.assert(
      fc.property(steps, (list) => {
        const pool = new AddressPool({ subnet: 'fd00:1::/123', gateway: 'fd00:1::1' });
        const held: string[] = [];
        let last: string | undefined;
        for (const step of list) {
          if (step === 'take') {
            if (held.length >= 29) continue;
            const address = pool.take();
            expect(held).not.toContain(address);
            expect(contains(parsePrefix('fd00:1::/123'), parseIp(address))).toBe(true);
            // There are others, so the one that was released last is not the next.
            if (held.length < 28) expect(address).not.toBe(last);
            last = undefined;
            held.push(address);
          } else if (held.length > 0) {
            [last] = held.splice(step % held.length, 1);
            pool.release(last!);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('can be asked for one by one, out of the range, too', () => {
    const pool = new AddressPool({ subnet: '10.5.0.0/24', gateway: '10.5.0.1', range: '10.5.0.128/25' });
    pool.reserve('10.5.0.7');
    expect(() => pool.reserve('10.5.0.7')).toThrow('Address already in use');
    expect(() => pool.reserve('10.5.0.1')).toThrow('Address already in use');
    expect(() => pool.reserve('10.6.0.1')).toThrow('no configured subnet contains IP address 10.6.0.1');
    expect(pool.take()).toBe('10.5.0.128');
  });

  it('of a subnet for two are two', () => {
    const pool = new AddressPool({ subnet: '10.5.0.0/31', gateway: '10.5.0.0' });
    expect(pool.take()).toBe('10.5.0.1');
    expect(() => pool.take()).toThrow('no available');
  });

  it('must fit together', () => {
    expect(() => completeSubnet({ subnet: '10.0.0.0/24', gateway: '10.0.1.1' })).toThrow(
      'contains IP address 10.0.1.1',
    );
    expect(() => completeSubnet({ subnet: '10.0.0.0/24', range: '10.0.0.0/16' })).toThrow('not within the subnet');
    expect(completeSubnet({ subnet: '10.0.0.7/24' })).toEqual({ subnet: '10.0.0.0/24', gateway: '10.0.0.1' });
    expect(completeSubnet({ subnet: 'fd00::/64' }).gateway).toBe('fd00::1');
  });
});

describe('subnets that nobody uses', () => {
  it('are the pools in order, around networks and routes of the host', () => {
    expect(freeSubnet([])).toBe('172.17.0.0/16');
    expect(freeSubnet(['172.17.0.0/16', '172.18.4.0/24'])).toBe('172.19.0.0/16');
    expect(freeSubnet(['172.16.0.0/12'])).toBe('192.168.0.0/20');
    expect(freeSubnet(['172.16.0.0/12', '192.168.16.0/24', '192.168.0.0/24'])).toBe('192.168.32.0/20');
    expect(() => freeSubnet(['172.16.0.0/12', '192.168.0.0/16'])).toThrow(
      'all predefined address pools have been fully subnetted',
    );
  });

  it('never overlap, until there is none left', () => {
    const used: string[] = [];
    for (let count = 0; count < 31; count += 1) {
      const subnet = freeSubnet(used);
      refuseOverlap(
        subnet,
        used.map((other) => ({ name: other, subnet: other })),
      );
      used.push(subnet);
    }
    expect(() => freeSubnet(used)).toThrow('fully subnetted');
  });

  it('are local ones of the engine for IPv6, always the same', () => {
    const pool = localV6Pool('/var/lib/berth');
    expect(localV6Pool('/var/lib/berth')).toEqual(pool);
    expect(pool.base).toMatch(/^fd[0-9a-f]{2}:[0-9a-f]{4}:[0-9a-f]{4}::\/48$/);
    const first = freeSubnet([], [pool]);
    expect(freeSubnet([first], [pool])).not.toBe(first);
  });

  it('are refused when a network has them', () => {
    const networks = [{ name: 'web', subnet: '10.0.0.0/16' }];
    expect(() => refuseOverlap('10.0.3.0/24', networks)).toThrow('Pool overlaps with other one on this address space');
    expect(() => refuseOverlap('10.1.0.0/24', networks)).not.toThrow();
  });
});

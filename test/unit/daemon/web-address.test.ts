import { describe, expect, it } from 'vitest';
import { checkAddress, checkedLookup, checkLiteral, isLoopback } from '../../../src/daemon/build-ports/web-address.ts';

describe('addresses that ADD may read', () => {
  it.each([
    '169.254.169.254',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    'fe80::1',
    'fd00:ec2::254',
    '100.100.100.200',
  ])('never %s', (address) => {
    expect(() => checkAddress('host', address, true)).toThrow('a link-local address');
  });

  it.each(['127.0.0.1', '127.8.8.8', '0.0.0.0', '::1', '::', '::ffff:127.0.0.1', '::ffff:7f00:1'])(
    '%s only when the Dockerfile names this machine',
    (address) => {
      expect(() => checkAddress('host', address, false)).toThrow('this machine itself');
      expect(() => checkAddress('host', address, true)).not.toThrow();
    },
  );

  it.each(['93.184.216.34', '10.0.0.5', '192.168.1.1', '2606:2800:220:1::1', '16.127.0.1'])('%s', (address) => {
    expect(() => checkAddress('host', address, false)).not.toThrow();
  });

  it('are checked however the URL spells them', () => {
    for (const url of ['http://2852039166/', 'http://0xa9fea9fe/', 'http://[::ffff:169.254.169.254]/']) {
      expect(() => checkLiteral(new URL(url), true)).toThrow('a link-local address');
    }
    expect(() => checkLiteral(new URL('http://2130706433/'), false)).toThrow('this machine itself');
    expect(isLoopback(new URL('http://2130706433/'))).toBe(true);
    expect(isLoopback(new URL('http://localhost:80/'))).toBe(true);
    expect(isLoopback(new URL('http://localhost.example.com/'))).toBe(false);
  });

  it('are checked for a name by what it leads to', async () => {
    const failure = await new Promise<Error | null>((resolve) =>
      checkedLookup(false)('localhost', { all: true }, (error) => resolve(error)),
    );
    expect(failure?.message).toContain('localhost leads to this machine itself');
  });
});

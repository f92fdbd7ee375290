import { beforeEach, describe, expect, it } from 'vitest';
import { NameDirectory } from '../../../src/engine/networks/name-directory.ts';

const front = { id: 'f', name: 'front-end' };
const back = { id: 'b', name: 'back.end' };
const member = (name: string, last: number, aliases: readonly string[] = []) => ({
  name,
  names: [name, ...aliases, `0123${name}`],
  ipv4: `10.0.0.${last}`,
});

let directory: NameDirectory;
const look = (name: string, networks = [front, back]) => directory.lookup(name, networks)?.ipv4;

beforeEach(() => {
  directory = new NameDirectory();
  directory.join('f', '1', member('web', 2, ['www']));
  directory.join('f', '2', member('Web2', 3, ['www']));
  directory.join('b', '3', { ...member('db', 4), ipv6: 'fd00::4' });
});

describe('names of containers', () => {
  it.each([
    ['web', ['10.0.0.2']],
    ['WEB', ['10.0.0.2']],
    ['web2', ['10.0.0.3']],
    ['0123web', ['10.0.0.2']],
    ['www', ['10.0.0.2', '10.0.0.3']],
    ['web.front-end', ['10.0.0.2']],
    ['db.back.end', ['10.0.0.4']],
    ['db', ['10.0.0.4']],
    ['db.front-end', undefined],
    ['web.back.end', undefined],
    ['front-end', undefined],
    ['.front-end', undefined],
    ['', undefined],
  ])('%j is %j', (name, addresses) => {
    expect(look(name)).toEqual(addresses);
  });

  it('are those of the networks that one shares', () => {
    expect(look('db', [front])).toBeUndefined();
    expect(look('web', [back])).toBeUndefined();
    expect(look('web', [])).toBeUndefined();
  });

  it('come from the first network that has addresses of a kind', () => {
    directory.join('b', '4', { name: 'web', names: ['web'], ipv4: '10.0.0.9', ipv6: 'fd00::9' });
    expect(directory.lookup('web', [front, back])).toEqual({ ipv4: ['10.0.0.2'], ipv6: ['fd00::9'] });
    expect(directory.lookup('web', [back, front])?.ipv4).toEqual(['10.0.0.9']);
  });

  it('end when their container leaves, and move with it', () => {
    directory.join('f', '1', member('web', 7));
    expect([look('web'), look('www')]).toEqual([['10.0.0.7'], ['10.0.0.3']]);
    directory.leave('f', '1');
    directory.leave('f', '1');
    expect([look('web'), directory.reverse('10.0.0.7', [front])]).toEqual([undefined, undefined]);
  });

  it('are hidden by the links of the one who looks', () => {
    const linked = { ...front, links: new Map([['www', 'web2']]) };
    expect(look('www', [linked])).toEqual(['10.0.0.3']);
    expect(look('www.front-end', [linked])).toEqual(['10.0.0.3']);
    directory.leave('f', '2');
    expect(look('www', [linked])).toBeUndefined();
  });

  it('are found by address, with their network', () => {
    expect(directory.reverse('10.0.0.2', [front, back])).toEqual(['web.front-end']);
    expect(directory.reverse('fd00::4', [front, back])).toEqual(['db.back.end']);
    expect(directory.reverse('10.0.0.4', [front])).toBeUndefined();
  });
});

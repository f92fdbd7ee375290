import { describe, expect, it } from 'vitest';
import { resolveUser } from '../../../../src/runtime/spec/user.ts';

const database = {
  passwd:
    'root:x:0:0:root:/root:/bin/sh\n# a comment\nweb:x:1000:1001::/home/web:/bin/sh\n\nbroken line\n1234:x:5:6::/five:\n',
  group: 'root:x:0:\nweb:x:1001:\nextra:x:2000:web, other\nmore:x:2001:web\n',
};
const empty = { passwd: '', group: '' };

describe('user of a process', () => {
  it('is root with the home of the passwd file when none is named', () => {
    expect(resolveUser('', database)).toEqual({ uid: 0, gid: 0, groups: [], home: '/root' });
  });

  it('is root with home / in a root without accounts', () => {
    expect(resolveUser('', empty)).toEqual({ uid: 0, gid: 0, groups: [], home: '/' });
  });

  it('has the groups that list it, by name and by number', () => {
    const web = { uid: 1000, gid: 1001, groups: [2000, 2001], home: '/home/web' };
    expect(resolveUser('web', database)).toEqual(web);
    expect(resolveUser('1000', database)).toEqual(web);
  });

  it('has only the group that is named explicitly', () => {
    expect(resolveUser('web:extra', database)).toEqual({ uid: 1000, gid: 2000, groups: [], home: '/home/web' });
    expect(resolveUser('web:77', database)).toEqual({ uid: 1000, gid: 77, groups: [], home: '/home/web' });
  });

  it('may be a number without an account', () => {
    expect(resolveUser('4242', database)).toEqual({ uid: 4242, gid: 0, groups: [], home: '/' });
    expect(resolveUser('4242:4343', empty)).toEqual({ uid: 4242, gid: 4343, groups: [], home: '/' });
  });

  it('is looked up as a name first', () => {
    expect(resolveUser('1234', database)).toMatchObject({ uid: 5, gid: 6, home: '/five' });
  });

  it('must exist when it is a name', () => {
    expect(() => resolveUser('wbe', database)).toThrow(
      expect.objectContaining({ kind: 'invalid', hint: 'did you mean web?' }),
    );
    expect(() => resolveUser('web:nogroup', database)).toThrow(
      'unable to find group nogroup: no matching entries in group file',
    );
  });

  it('must be a possible number', () => {
    expect(() => resolveUser('-1', database)).toThrow(expect.objectContaining({ kind: 'invalid' }));
    expect(() => resolveUser('4294967296', database)).toThrow(expect.objectContaining({ kind: 'invalid' }));
  });
});

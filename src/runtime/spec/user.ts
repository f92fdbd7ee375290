import { nearest } from '../../diagnostics/index.ts';
import { BerthError } from '../../errors/index.ts';

/** Who a container's process runs as. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups: those that the group file lists the user in. */
  readonly groups: readonly number[];
  /** Home directory from the passwd file, `/` when the user is not in it. */
  readonly home: string;
}

/** The texts of a root's own `/etc/passwd` and `/etc/group`; empty when it has none. */
export interface UserDatabase {
  readonly passwd: string;
  readonly group: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const maxId = 2 ** 31 - 1;

/**
 * Resolves `user[:group]` (names or numbers) as Docker does: a name must be in the passwd file, a number need not.
 * Supplementary groups come from the group file, unless a group is named explicitly.
 * @throws BerthError `invalid`, with the nearest name when there is one
 * @see moby/sys/user GetExecUser
 */
export function resolveUser(user: string, database: UserDatabase): Identity {
  const colon = user.indexOf(':');
  const userPart = (colon < 0 ? user : user.slice(0, colon)).trim();
  const groupPart = colon < 0 ? '' : user.slice(colon + 1).trim();
  const accounts = parsePasswd(database.passwd);
  const groups = parseGroups(database.group);

  const account = findAccount(userPart, accounts);
  const uid = account?.uid ?? numericId(userPart, 'user') ?? unknown('user', userPart, accounts);
  if (groupPart !== '') {
    const gid =
      findGroup(groupPart, groups)?.gid ?? numericId(groupPart, 'group') ?? unknown('group', groupPart, groups);
    return { uid, gid, groups: [], home: account?.home || '/' };
  }
  const memberOf = account
    ? groups.filter((group) => group.members.includes(account.name)).map((group) => group.gid)
    : [];
  return { uid, gid: account?.gid ?? 0, groups: [...new Set(memberOf)], home: account?.home || '/' };
}

/** Groups of `--group-add`. @throws BerthError `invalid` */
export function resolveGroups(names: readonly string[], database: UserDatabase): readonly number[] {
  const groups = names.length > 0 ? parseGroups(database.group) : [];
  return names.map(
    (name) => findGroup(name, groups)?.gid ?? numericId(name, 'group') ?? unknown('group', name, groups),
  );
}

/** A name is looked up before a number: an account may be called `1000`. */
function findAccount(text: string, accounts: readonly PasswdEntry[]): PasswdEntry | undefined {
  if (text === '') return accounts.find((entry) => entry.uid === 0) ?? { name: '', uid: 0, gid: 0, home: '/' };
  const named = accounts.find((entry) => entry.name === text);
  if (named) return named;
  return isNumber(text) ? accounts.find((entry) => entry.uid === Number(text)) : undefined;
}

function findGroup(text: string, groups: readonly GroupEntry[]): GroupEntry | undefined {
  return (
    groups.find((entry) => entry.name === text) ??
    (isNumber(text) ? groups.find((entry) => entry.gid === Number(text)) : undefined)
  );
}

function isNumber(text: string): boolean {
  return /^-?\d+$/.test(text);
}

function numericId(text: string, what: string): number | undefined {
  if (!isNumber(text)) return undefined;
  const id = Number(text);
  if (id >= 0 && id <= maxId) return id;
  throw new BerthError('invalid', `${what} id ${text} is out of range: it must be between 0 and ${maxId}`);
}

function unknown(what: 'user' | 'group', name: string, entries: readonly { readonly name: string }[]): never {
  const file = what === 'user' ? '/etc/passwd' : '/etc/group';
  const meant = nearest(
    name,
    entries.map((entry) => entry.name),
  );
  throw new BerthError(
    'invalid',
    `unable to find ${what} ${name}: no matching entries in ${file.slice('/etc/'.length)} file`,
    {
      hint: meant ? `did you mean ${meant}?` : `add it to the image's ${file}, or use a number`,
    },
  );
}

function parsePasswd(text: string): readonly PasswdEntry[] {
  return records(text).flatMap(([name = '', , uid = '', gid = '', , home = '']) =>
    name !== '' && isNumber(uid) && isNumber(gid) ? [{ name, uid: Number(uid), gid: Number(gid), home }] : [],
  );
}

function parseGroups(text: string): readonly GroupEntry[] {
  return records(text).flatMap(([name = '', , gid = '', members = '']) =>
    name !== '' && isNumber(gid)
      ? [{ name, gid: Number(gid), members: members.split(',').map((member) => member.trim()) }]
      : [],
  );
}

function records(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));
}

/** Maps (mode, isDirectory) to the new permission bits. */
export type ModeChange = (mode: number, isDirectory: boolean) => number;

const CLAUSE = /^([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)$/;
const ACTION = /([-+=])([ugo]|[rwxXst]*)/g;
const SHIFT: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

/**
 * Reads what `--chmod` takes: an octal number up to 07777, or `chmod`'s symbolic form with `,` between clauses.
 * A missing who means all: there is no umask in a build.
 * @returns the bits, a function of the old bits, or undefined when it is neither
 */
export function parseModeChange(text: string): number | ModeChange | undefined {
  if (/^[0-7]{1,6}$/.test(text)) {
    const bits = Number.parseInt(text, 8);
    return bits <= 0o7777 ? bits : undefined;
  }
  const clauses = text.split(',');
  if (!clauses.every((clause) => CLAUSE.test(clause))) return undefined;
  return (mode, isDirectory) => clauses.reduce((bits, clause) => applyClause(bits, clause, isDirectory), mode & 0o7777);
}

function applyClause(mode: number, clause: string, isDirectory: boolean): number {
  const [, who = '', actions = ''] = CLAUSE.exec(clause) ?? [];
  const classes = who === '' || who.includes('a') ? ['u', 'g', 'o'] : [...new Set(who)];
  let bits = mode;
  for (const [, operator, permissions = ''] of actions.matchAll(ACTION)) {
    const before = bits;
    for (const name of classes) {
      const change = bitsFor(name, permissions, before, isDirectory);
      const owned = (0o7 << SHIFT[name]!) | special(name);
      if (operator === '+') bits |= change;
      else if (operator === '-') bits &= ~change;
      else bits = (bits & ~owned) | change;
    }
    if (permissions.includes('t')) {
      if (operator === '-') bits &= ~0o1000;
      else bits |= 0o1000;
    }
  }
  return bits;
}

function bitsFor(name: string, permissions: string, mode: number, isDirectory: boolean): number {
  const shift = SHIFT[name]!;
  if (/^[ugo]$/.test(permissions)) return ((mode >> SHIFT[permissions]!) & 0o7) << shift;
  let bits = 0;
  if (permissions.includes('r')) bits |= 0o4;
  if (permissions.includes('w')) bits |= 0o2;
  if (permissions.includes('x')) bits |= 0o1;
  if (permissions.includes('X') && (isDirectory || (mode & 0o111) !== 0)) bits |= 0o1;
  return (bits << shift) | (permissions.includes('s') ? special(name) : 0);
}

function special(name: string): number {
  return name === 'u' ? 0o4000 : name === 'g' ? 0o2000 : 0;
}

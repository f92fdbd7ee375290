import { BerthError } from '../../errors/index.ts';
import type { Owner, RootFiles } from '../ports.ts';

const MAX_ACCOUNTS_BYTES = 1 << 20;
const MAX_ID = 0xffff_fffe;

/**
 * Reads `user[:group]` of `--chown` and USER; names are looked up in the root's own accounts. A user alone gives its
 * number to the group, too.
 * @throws BerthError `invalid`
 * @see Docker reference, "COPY --chown"
 */
export async function resolveOwner(files: RootFiles, root: string, text: string): Promise<Owner> {
  const colon = text.indexOf(':');
  const user = colon < 0 ? text : text.slice(0, colon);
  const group = colon < 0 ? '' : text.slice(colon + 1);
  const uid = user === '' ? 0 : await idOf(files, root, user, 'user', 'etc/passwd');
  const gid = group === '' ? (colon < 0 ? uid : 0) : await idOf(files, root, group, 'group', 'etc/group');
  return { uid, gid };
}

async function idOf(files: RootFiles, root: string, name: string, what: string, database: string): Promise<number> {
  if (/^\d+$/.test(name)) {
    const id = Number(name);
    if (id <= MAX_ID) return id;
    throw new BerthError('invalid', `${what} ${name} is not a number below 2^32 - 1`);
  }
  const accounts = await files.readFile(root, database, MAX_ACCOUNTS_BYTES);
  for (const line of (accounts?.toString('utf8') ?? '').split('\n')) {
    const fields = line.split(':');
    if (fields[0] === name && /^\d+$/.test(fields[2] ?? '')) return Number(fields[2]);
  }
  throw new BerthError('invalid', `there is no ${what} ${name} in the image's /${database}`, {
    hint: `use a number, or add the ${what} with RUN first`,
  });
}

import { BerthError } from '../../../errors/index.ts';

const MAX_PATH = 1024;

/**
 * A path within an archive, without `./` and `//`.
 * @throws BerthError `invalid` for absolute paths, `..`, and bytes that no archive of images has
 */
export function innerPath(path: string): string {
  const refuse = (why: string): never => {
    throw new BerthError('invalid', `invalid archive: path ${JSON.stringify(path.slice(0, 200))} ${why}`);
  };
  if (path.length > MAX_PATH) refuse('is too long');
  if (path.startsWith('/')) refuse('is absolute');
  if (/[\0\\]/.test(path)) refuse('has a character that is not allowed');
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) refuse('leads outside');
  return parts.join('/');
}

/** Where a link in an archive points, within the archive. @throws BerthError `invalid` */
export function linkTarget(link: string, target: string): string {
  if (target.startsWith('/')) return innerPath(target);
  const parts = link.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) {
      throw new BerthError(
        'invalid',
        `invalid archive: link ${JSON.stringify(link.slice(0, 200))} leads outside, to ${JSON.stringify(target.slice(0, 200))}`,
      );
    }
  }
  return innerPath(parts.join('/'));
}

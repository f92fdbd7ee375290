import { BerthError } from '../errors/index.ts';

/** Path of a container's operation. @throws BerthError `invalid` for a name that cannot be one */
export function containerPath(ref: string, operation = ''): string {
  if (ref === '') throw new BerthError('invalid', 'a container name is empty');
  return `/containers/${encodeURIComponent(ref)}${operation === '' ? '' : `/${operation}`}`;
}

/** Path of an image's operation: slashes of the name stay as they are, as every client sends them. */
export function imagePath(ref: string, operation = ''): string {
  if (ref === '') throw new BerthError('invalid', 'an image name is empty');
  const name = ref.split('/').map((part) => encodeURIComponent(part).replaceAll('%3A', ':').replaceAll('%40', '@'));
  return `/images/${name.join('/')}${operation === '' ? '' : `/${operation}`}`;
}

/** Path of a network's operation. @throws BerthError `invalid` for a name that cannot be one */
export function networkPath(ref: string, operation = ''): string {
  if (ref === '') throw new BerthError('invalid', 'a network name is empty');
  return `/networks/${encodeURIComponent(ref)}${operation === '' ? '' : `/${operation}`}`;
}

/** Path of a volume. @throws BerthError `invalid` for a name that cannot be one */
export function volumePath(name: string): string {
  if (name === '') throw new BerthError('invalid', 'a volume name is empty');
  return `/volumes/${encodeURIComponent(name)}`;
}

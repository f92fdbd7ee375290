import type { ImageDeleted } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import { chainIds, hexOf, parseReference } from '../../oci/index.ts';
import type { StoredImage } from '../ports.ts';
import type { ImageContext, ImageUser } from './context.ts';
import { repositoryOf, shown } from './names.ts';
import { resolveImage } from './resolve.ts';

/**
 * Removes a name, and the image with its layers when that was the last one. By id, all names go, when they are of one
 * repository.
 * @throws BerthError `conflict` when a container uses the image, or several repositories name it
 * @see moby daemon/images/image_delete.go
 */
export async function removeImage(
  context: ImageContext,
  ref: string,
  { force }: { readonly force: boolean },
): Promise<readonly ImageDeleted[]> {
  const { image, name } = await resolveImage(context.ports.images, ref);
  const users = await context.containersUsing(image.id);
  return name === undefined
    ? removeById(context, image, users, force)
    : removeByName(context, image, { name, ref, users, force });
}

async function removeByName(
  context: ImageContext,
  image: StoredImage,
  options: { name: string; ref: string; users: readonly ImageUser[]; force: boolean },
): Promise<readonly ImageDeleted[]> {
  const { name, ref, users, force } = options;
  const [user] = users;
  if (!force && isSingleReference(image) && user !== undefined) {
    throw new BerthError(
      'conflict',
      `conflict: unable to remove repository reference "${ref}" (must force) - ` +
        `container ${shortId(user.id)} is using its referenced image ${shortImageId(image)}`,
      { hint: `remove the container first: berth rm ${user.name.replace(/^\//, '')}` },
    );
  }
  const records = await untag(context, image, [name, ...orphanedDigests(image, name)]);
  const rest = await context.ports.images.get(image.id);
  if (rest === undefined || rest.names.length + rest.repoDigests.length > 0) return records;
  // The name is gone as asked. A container that runs (only reached with force) keeps the image itself.
  if (users.some(({ running }) => running)) return records;
  return [...records, ...(await deleteImage(context, image))];
}

async function removeById(
  context: ImageContext,
  image: StoredImage,
  users: readonly ImageUser[],
  force: boolean,
): Promise<readonly ImageDeleted[]> {
  const running = users.find((user) => user.running);
  if (running !== undefined) {
    throw deleteConflict(
      image,
      'cannot be forced',
      `image is being used by running container ${shortId(running.id)}`,
      `stop the container first: berth stop ${running.name.replace(/^\//, '')}`,
    );
  }
  if (!force && !isSingleReference(image)) {
    throw deleteConflict(
      image,
      'must be forced',
      'image is referenced in multiple repositories',
      'remove the names one by one, or add --force',
    );
  }
  const [stopped] = users;
  if (!force && stopped !== undefined) {
    throw deleteConflict(
      image,
      'must be forced',
      `image is being used by stopped container ${shortId(stopped.id)}`,
      `remove the container first: berth rm ${stopped.name.replace(/^\//, '')}`,
    );
  }
  const records = await untag(context, image, [...image.names, ...image.repoDigests]);
  return [...records, ...(await deleteImage(context, image))];
}

async function untag(
  context: ImageContext,
  image: StoredImage,
  names: readonly string[],
): Promise<readonly ImageDeleted[]> {
  const records: ImageDeleted[] = [];
  for (const name of names) {
    await context.ports.images.untag(name);
    context.publish('untag', image, image.id);
    records.push({ Untagged: shown(name) });
  }
  return records;
}

async function deleteImage(context: ImageContext, image: StoredImage): Promise<readonly ImageDeleted[]> {
  const { images, garbage } = context.ports;
  await images.remove(image.id);
  context.publish('delete', image, image.id);
  const layers = await garbage.removeUnneeded(chainIds(image.config.rootfs.diff_ids));
  return [{ Deleted: image.id }, ...layers.map((chain) => ({ Deleted: chain }))];
}

/** Digest references of a repository whose last tag goes: they would name an image that nobody sees. */
function orphanedDigests({ names, repoDigests }: StoredImage, removed: string): readonly string[] {
  if (parseReference(removed).digest !== undefined) return [];
  const repository = repositoryOf(removed);
  if (names.some((name) => name !== removed && repositoryOf(name) === repository)) return [];
  return repoDigests.filter((digest) => repositoryOf(digest) === repository);
}

/** At most one tag, and everything within one repository. */
function isSingleReference({ names, repoDigests }: StoredImage): boolean {
  if (names.length > 1) return false;
  return new Set([...names, ...repoDigests].map(repositoryOf)).size <= 1;
}

function deleteConflict(image: StoredImage, force: string, why: string, hint: string): BerthError {
  const message = `conflict: unable to delete ${shortImageId(image)} (${force}) - ${why}`;
  return new BerthError('conflict', message, { hint });
}

function shortImageId({ id }: StoredImage): string {
  return shortId(hexOf(id));
}

function shortId(id: string): string {
  return id.slice(0, 12);
}

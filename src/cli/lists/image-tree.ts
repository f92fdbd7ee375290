import type { ImageInspect, ImageSummary } from '../../api/contract/index.ts';
import { visibleText } from '../../format/index.ts';
import { humanSize } from '../../units/index.ts';
import { shortId } from './cells.ts';

/** An image in the tree. Sizes are bytes of file content. */
export interface TreeImage {
  readonly id: string;
  readonly names: readonly string[];
  readonly diffIds: readonly string[];
  readonly sizeBytes: number;
  readonly sharedBytes: number;
  readonly containers: number;
}

interface Branch {
  /** Layers since the branch above. */
  readonly layers: readonly string[];
  readonly images: readonly TreeImage[];
  readonly children: readonly Branch[];
}

export function treeImage(summary: ImageSummary, { RootFS }: Pick<ImageInspect, 'RootFS'>): TreeImage {
  return {
    id: summary.Id,
    names: summary.RepoTags ?? [],
    diffIds: RootFS.Layers,
    sizeBytes: summary.Size,
    sharedBytes: Math.max(0, summary.SharedSize),
    containers: Math.max(0, summary.Containers),
  };
}

/** Images as a tree over the layers that they share: what stands below another has all of its layers. */
export function imageTree(images: readonly TreeImage[], trunc: boolean): string {
  const { images: empty, children } = grow(images, 0);
  const top = [...empty.map((image) => ({ layers: [], images: [image], children: [] })), ...children];
  return top.map((branch) => lines(branch, '', '', trunc).join('')).join('');
}

/** @param from layers that all of the images have in common, and that were told already */
function grow(images: readonly TreeImage[], from: number): Branch {
  const [first] = images;
  if (first === undefined) return { layers: [], images: [], children: [] };
  let to = from;
  // At the root, nothing is common to all.
  const isCommon = (at: number) =>
    images.every(({ diffIds }) => at < diffIds.length && diffIds[at] === first.diffIds[at]);
  if (from > 0) while (isCommon(to)) to += 1;
  const here = images.filter(({ diffIds }) => diffIds.length === to);
  const groups = new Map<string, TreeImage[]>();
  for (const image of images) {
    const next = image.diffIds[to];
    if (next !== undefined) groups.set(next, [...(groups.get(next) ?? []), image]);
  }
  const children = [...groups.values()].map((group) => {
    const branch = grow(group, to + 1);
    return { ...branch, layers: group[0]!.diffIds.slice(to, to + 1 + branch.layers.length) };
  });
  return { layers: first.diffIds.slice(from, to), images: here, children };
}

function lines(branch: Branch, head: string, rest: string, trunc: boolean): string[] {
  const count = `${branch.layers.length} ${branch.layers.length === 1 ? 'layer' : 'layers'}`;
  const label =
    branch.images.length === 0
      ? [`(shared by the images below)  ${count}`]
      : branch.images.map((image, index) => `${imageText(image, trunc)}${index === 0 ? `  ${count}` : ''}`);
  const own = label.map((text, index) => `${index === 0 ? head : rest}${text}\n`);
  const below = branch.children.flatMap((child, index) => {
    const isLast = index === branch.children.length - 1;
    return lines(child, `${rest}${isLast ? '└─ ' : '├─ '}`, `${rest}${isLast ? '   ' : '│  '}`, trunc);
  });
  return [...own, ...below];
}

function imageText({ id, names, sizeBytes, sharedBytes, containers }: TreeImage, trunc: boolean): string {
  const name = names.length === 0 ? '<none>' : names.map(visibleText).join(', ');
  const used = containers === 0 ? '' : `  in use by ${containers}`;
  const size = `${humanSize(sizeBytes, 3)} (${humanSize(sizeBytes - sharedBytes, 3)} unique, ${humanSize(sharedBytes, 3)} shared)`;
  return `${name}  ${trunc ? shortId(id) : id}  ${size}${used}`;
}

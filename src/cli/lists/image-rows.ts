import type { ImageSummary } from '../../api/contract/index.ts';
import type { ListFormat, Row } from '../../format/index.ts';
import { humanDuration, humanSize } from '../../units/index.ts';
import { goTime, shortId } from './cells.ts';

const NONE = '<none>';
const REST = '{{.ID}}\t{{if .CreatedSince}}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.Size}}';

export interface ImagesOptions {
  readonly trunc: boolean;
  readonly digests: boolean;
  readonly now: number;
  /** Digits of shared and unique sizes; three when absent. */
  readonly shareDigits?: number;
}

export function imagesFormat(format: string, digests: boolean): ListFormat {
  return {
    format,
    table: `{{.Repository}}\t{{.Tag}}\t${digests ? '{{.Digest}}\t' : ''}${REST}`,
    heads: {
      ID: 'IMAGE ID',
      Repository: 'REPOSITORY',
      Tag: 'TAG',
      Digest: 'DIGEST',
      CreatedSince: 'CREATED',
      CreatedAt: 'CREATED AT',
      Size: 'SIZE',
      Containers: 'CONTAINERS',
      VirtualSize: 'SIZE',
      SharedSize: 'SHARED SIZE',
      UniqueSize: 'UNIQUE SIZE',
    },
  };
}

/** The lines of one image: one for each tag, and with digests for each tag and digest. @see docker/cli formatter, image.go */
export function imageRows(image: ImageSummary, options: ImagesOptions): Row[] {
  return labels(image, options.digests).map((label) => row(image, label, options));
}

interface Label {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

function labels(image: ImageSummary, withDigests: boolean): Label[] {
  const tags = grouped(image.RepoTags ?? [], ':');
  const digests = grouped(image.RepoDigests ?? [], '@');
  const all: Label[] = [];
  for (const [repository, names] of tags) {
    const known = withDigests ? (digests.get(repository) ?? [NONE]) : [NONE];
    for (const tag of names) for (const digest of known) all.push({ repository, tag, digest });
    digests.delete(repository);
  }
  for (const [repository, values] of digests) {
    const shown = withDigests ? values : [NONE];
    for (const digest of shown) all.push({ repository, tag: NONE, digest });
  }
  return all.length > 0 ? all : [{ repository: NONE, tag: NONE, digest: NONE }];
}

/** `repo:tag` or `repo@digest` texts by repository. `<none>:<none>` is how old engines say that there is none. */
function grouped(names: readonly string[], separator: ':' | '@'): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const at = separator === '@' ? name.indexOf('@') : name.lastIndexOf(':');
    const repository = name.slice(0, at);
    if (repository === NONE || at < 0) continue;
    groups.set(repository, [...(groups.get(repository) ?? []), name.slice(at + 1)]);
  }
  return groups;
}

function row(
  image: ImageSummary,
  { repository, tag, digest }: Label,
  { trunc, now, shareDigits = 3 }: ImagesOptions,
): Row {
  const size = humanSize(image.Size, 3);
  const known = (value: number, text: string) => (value < 0 ? 'N/A' : text);
  return {
    ID: trunc ? shortId(image.Id) : image.Id,
    Repository: repository,
    Tag: tag,
    Digest: digest,
    CreatedSince: image.Created > 0 ? `${humanDuration(now - image.Created * 1000)} ago` : '',
    CreatedAt: goTime(image.Created * 1000),
    Size: size,
    VirtualSize: size,
    Containers: known(image.Containers, String(image.Containers)),
    SharedSize: known(image.SharedSize, humanSize(image.SharedSize, shareDigits)),
    UniqueSize: known(image.SharedSize, humanSize(image.Size - image.SharedSize, shareDigits)),
  };
}

import type { ImageSummary } from '../../api/contract/index.ts';
import { formatList, type Row } from '../../format/index.ts';
import { humanSize } from '../../units/index.ts';
import { shortId } from './cells.ts';

const TABLE = '{{.Image}}\t{{.ID}}\t{{.Size}}\t{{.UniqueSize}}\t{{.InUse}}';
const HEADS = { Image: 'IMAGE', ID: 'ID', Size: 'DISK USAGE', UniqueSize: 'UNIQUE SIZE', InUse: 'IN USE' };

/** `images --tree`: one line an image, its other names below it. */
export async function imageUses(images: readonly ImageSummary[]): Promise<string> {
  return formatList({ format: 'table', table: TABLE, heads: HEADS }, images.flatMap(rows));
}

function rows(image: ImageSummary): Row[] {
  const [name = '<untagged>', ...others] = image.RepoTags ?? [];
  const first = {
    Image: name,
    ID: shortId(image.Id),
    Size: humanSize(image.Size, 3),
    UniqueSize: humanSize(image.Size - Math.max(0, image.SharedSize), 3),
    InUse: image.Containers > 0 ? '✔' : '',
  };
  return [first, ...others.map((other) => ({ Image: `└─ ${other}`, ID: '', Size: '', UniqueSize: '', InUse: '' }))];
}

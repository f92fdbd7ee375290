import type { ImageHistory } from '../../api/contract/index.ts';
import type { ListFormat, Row } from '../../format/index.ts';
import { formatRfc3339Nano, humanDuration, humanSize } from '../../units/index.ts';
import { ellipsis, shortId } from './cells.ts';

const CREATED_BY_WIDTH = 45;

export interface HistoryOptions {
  readonly trunc: boolean;
  readonly human: boolean;
  readonly now: number;
}

export function historyFormat(format: string, human: boolean): ListFormat {
  const created = human ? '{{if .CreatedSince}}{{.CreatedSince}}{{else}}N/A{{end}}' : '{{.CreatedAt}}';
  return {
    format,
    table: `{{.ID}}\t${created}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}`,
    heads: {
      ID: 'IMAGE',
      CreatedSince: 'CREATED',
      CreatedAt: 'CREATED AT',
      CreatedBy: 'CREATED BY',
      Size: 'SIZE',
      Comment: 'COMMENT',
    },
  };
}

/** One line of `history`. @see docker/cli formatter, history.go */
export function historyRow(step: ImageHistory, { trunc, human, now }: HistoryOptions): Row {
  const createdBy = step.CreatedBy.replaceAll('\t', ' ');
  const known = step.Created > 0;
  const createdAt = known ? formatRfc3339Nano(step.Created * 1000) : '';
  return {
    ID: trunc && step.Id !== '<missing>' ? shortId(step.Id) : step.Id,
    CreatedAt: createdAt,
    CreatedSince: human && known ? `${humanDuration(now - step.Created * 1000)} ago` : createdAt,
    CreatedBy: trunc ? ellipsis(createdBy, CREATED_BY_WIDTH) : createdBy,
    Size: human ? humanSize(step.Size, 3) : String(step.Size),
    Comment: step.Comment,
  };
}

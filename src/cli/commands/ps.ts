import type { ContainerSummary } from '../../api/contract/index.ts';
import { formatList } from '../../format/index.ts';
import type { Command } from '../context.ts';
import { filtersQuery } from '../lists/filters.ts';
import { psFormat, psRow } from '../lists/ps-rows.ts';

export const run: Command = async ({ flags, engine, environment }) => {
  const quiet = flags.bool('quiet');
  const format = flags.string('format') ?? (quiet ? '{{.ID}}' : 'table');
  const trunc = !flags.bool('no-trunc');
  const last = flags.bool('latest') && !flags.has('last') ? 1 : (flags.number('last') ?? -1);
  const size = flags.bool('size') || (!quiet && /\.Size\b/.test(format));
  const containers = await engine.json<readonly ContainerSummary[]>('GET', '/containers/json', {
    query: {
      all: flags.bool('all') ? 1 : undefined,
      limit: last > 0 ? last : undefined,
      size: size ? 1 : undefined,
      filters: filtersQuery(flags.list('filter')),
    },
  });
  const options = { trunc, size, now: environment.now() };
  const shown = psFormat(quiet && !flags.has('format') ? '{{.ID}}' : format, flags.bool('size'));
  environment.stdout.write(
    await formatList(
      shown,
      containers.map((container) => psRow(container, options)),
    ),
  );
  return 0;
};

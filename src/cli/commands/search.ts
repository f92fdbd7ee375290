import type { ImageSearchResult } from '../../api/contract/index.ts';
import { formatList } from '../../format/index.ts';
import { registryAuthHeader } from '../connection/registry-auth.ts';
import type { Command } from '../context.ts';
import { ellipsis } from '../lists/cells.ts';
import { filtersQuery } from '../lists/filters.ts';

const DESCRIPTION_WIDTH = 45;

/** @see docker/cli formatter, search.go */
export const run: Command = async ({ flags, args, engine, environment }) => {
  const { stdout, stderr, env } = environment;
  const { searchedRegistry } = await import('../../oci/index.ts');
  const [term] = args as readonly [string];
  const results = await engine.json<readonly ImageSearchResult[]>('GET', '/images/search', {
    query: { term, limit: flags.number('limit') || undefined, filters: filtersQuery(flags.list('filter')) },
    headers: await registryAuthHeader(searchedRegistry(term).registry, env),
  });
  if (results.some(({ source }) => source === 'catalog')) {
    stderr.write(`${searchedRegistry(term).registry} has no search: these are names from its catalog\n`);
  }
  const trunc = !flags.bool('no-trunc');
  const table = {
    format: flags.string('format') ?? 'table',
    table: '{{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}',
    heads: {
      Name: 'NAME',
      Description: 'DESCRIPTION',
      StarCount: 'STARS',
      IsOfficial: 'OFFICIAL',
      IsAutomated: 'AUTOMATED',
    },
  };
  const mark = (is: boolean) => (is ? '[OK]' : '');
  stdout.write(
    await formatList(
      table,
      results.map(({ name, description, star_count, is_official, is_automated }) => ({
        Name: name,
        Description: trunc ? ellipsis(description, DESCRIPTION_WIDTH) : description,
        StarCount: String(star_count),
        IsOfficial: mark(is_official),
        IsAutomated: mark(is_automated),
      })),
    ),
  );
  return 0;
};

import { formatList } from '../../format/index.ts';
import { parseRegistry, parseRepository } from '../../oci/index.ts';
import type { Command, CommandContext } from '../context.ts';
import { explained, withRegistries } from '../registry/open.ts';

/** `registry ls` */
export const listRepositories: Command = async (context) => {
  const registry = parseRegistry(context.args[0]!);
  await withRegistries(context.environment, {}, async ({ client, signal }) => {
    const names = client.listRepositories(registry, signal);
    try {
      await print(context, names, { Name: 'REPOSITORY' }, (name) => ({ Name: `${registry}/${name}` }));
    } catch (error) {
      throw await explained(error, client, { registry, repository: '', tag: '' });
    }
  });
  return 0;
};

/** `registry tags` */
export const listTags: Command = async (context) => {
  const repository = parseRepository(context.args[0]!);
  await withRegistries(context.environment, {}, async ({ client, signal }) => {
    try {
      await print(context, client.listTags(repository, signal), { Tag: 'TAG' }, (tag) => ({ Tag: tag }));
    } catch (error) {
      throw await explained(error, client, { ...repository, tag: '' });
    }
  });
  return 0;
};

/** In the registry's order; no heading, so that the output is a list for other programs. */
async function print(
  { flags, environment }: CommandContext,
  names: AsyncIterable<string>,
  heads: Readonly<Record<string, string>>,
  rowOf: (name: string) => Readonly<Record<string, string>>,
): Promise<void> {
  const limit = flags.number('limit') ?? 0;
  const [field = ''] = Object.keys(heads);
  const format = flags.string('format') ?? `{{.${field}}}`;
  const rows: Readonly<Record<string, string>>[] = [];
  for await (const name of names) {
    rows.push(rowOf(name));
    if (rows.length === limit) break;
  }
  environment.stdout.write(await formatList({ format, table: `{{.${field}}}`, heads }, rows));
}

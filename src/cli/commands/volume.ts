import type { VolumeBody, VolumeListBody } from '../../api/contract/index.ts';
import { formatList } from '../../format/index.ts';
import { confirm } from '../confirm.ts';
import { keyValues } from '../container/key-values.ts';
import type { Command } from '../context.ts';
import { filtersQuery } from '../lists/filters.ts';
import { volumeRow, volumesFormat } from '../lists/volume-rows.ts';
import { volumePath } from '../paths.ts';
import { pruneVolumes, reclaimed } from '../prune.ts';
import { UsageError } from '../syntax/usage-error.ts';
import { forEachContainer } from './lifecycle.ts';

export const create: Command = async ({ name, args, flags, engine, environment }) => {
  const old = flags.string('name');
  if (old !== undefined && args.length > 0) {
    throw new UsageError('conflicting options: either specify --name or provide positional arg, not both', {
      exitCode: 1,
      command: name,
    });
  }
  const volume = await engine.json<VolumeBody>('POST', '/volumes/create', {
    body: {
      Name: args[0] ?? old ?? '',
      Driver: flags.string('driver') ?? 'local',
      DriverOpts: keyValues(flags.list('opt')),
      Labels: keyValues(flags.list('label')),
    },
  });
  environment.stdout.write(`${volume.Name}\n`);
  return 0;
};

export const list: Command = async ({ flags, engine, environment }) => {
  const format = flags.string('format') ?? (flags.bool('quiet') ? '{{.Name}}' : 'table');
  const { Volumes } = await engine.json<VolumeListBody>('GET', '/volumes', {
    query: { filters: filtersQuery(flags.list('filter')) },
  });
  environment.stdout.write(await formatList(volumesFormat(format), Volumes.map(volumeRow)));
  return 0;
};

export const remove: Command = (context) => {
  const query = { force: context.flags.bool('force') ? 1 : undefined };
  return forEachContainer(context, async (name) => {
    await context.engine.send('DELETE', volumePath(name), { query });
    return name;
  });
};

export const prune: Command = async ({ flags, engine, environment }) => {
  const all = flags.bool('all');
  const what = all ? 'all volumes' : 'anonymous local volumes';
  const warning = `WARNING! This will remove ${what} not used by at least one container.\nAre you sure you want to continue?`;
  if (!flags.bool('force') && !(await confirm(environment, warning))) return 0;
  const filters = filtersQuery(flags.list('filter'), all ? { all: 'true' } : {});
  const { text, bytes } = await pruneVolumes(engine, { filters });
  environment.stdout.write(`${text}${reclaimed(bytes)}`);
  return 0;
};

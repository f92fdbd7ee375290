import { BerthError } from '../../errors/index.ts';
import { type ChainId, type ContainerConfig, chainIds } from '../../oci/index.ts';
import type { CommitQuery } from '../api.ts';
import { commitImage, optionalName } from '../images/index.ts';
import { announce, type Container, type ContainersContext } from './container.ts';
import { whilePaused } from './pause.ts';

/** Makes an image of the container as it stands. @throws BerthError `invalid` for a name or change */
export async function commitContainer(
  context: ContainersContext,
  container: Container,
  query: CommitQuery,
): Promise<{ Id: string }> {
  const { images, snapshots, garbage, clock } = context.ports;
  const names = optionalName(query.repo, query.tag);
  const { record } = container;
  const base = await images.get(record.image);
  if (!base) throw new BerthError('not-found', `No such image: ${record.image}`);
  const release = await garbage.lease(chainIds(base.config.rootfs.diff_ids));
  let added: ChainId | undefined;
  try {
    const copy = () => snapshots.commitCopy(container.id);
    // Still processes write nothing: the layer is of one moment.
    const layer = query.pause ? await whilePaused(context, container, copy) : await copy();
    added = layer.chainId;
    const releaseLayer = await garbage.lease([layer.chainId]);
    try {
      const document = commitImage(
        { clock },
        {
          baseConfig: base.config,
          containerConfig: { ...base.config.config, ...imageConfig(container) },
          layer,
          changes: query.changes,
          ...(query.author ? { author: query.author } : {}),
          ...(query.comment ? { comment: query.comment } : {}),
        },
      );
      const image = await images.put(document, names);
      added = undefined;
      announce(context, container, 'commit', {
        comment: query.comment ?? '',
        imageID: image.id,
        imageRef: names[0] ?? '',
      });
      return { Id: image.id };
    } finally {
      releaseLayer();
    }
  } finally {
    release();
    if (added) await garbage.removeUnneeded([added]);
  }
}

/** The part of a container's configuration that an image has too. */
function imageConfig({ record }: Container): ContainerConfig {
  const { config } = record;
  const { User, Env, Entrypoint, Cmd, WorkingDir, Labels, StopSignal, ExposedPorts } = config;
  return {
    ...(User ? { User } : {}),
    Env: Env ?? [],
    ...(Entrypoint ? { Entrypoint } : { Entrypoint: [] }),
    ...(Cmd ? { Cmd } : { Cmd: [] }),
    ...(WorkingDir ? { WorkingDir } : {}),
    Labels: Labels ?? {},
    ...(StopSignal ? { StopSignal } : {}),
    ...(ExposedPorts ? { ExposedPorts: emptyValues(ExposedPorts) } : {}),
  };
}

function emptyValues(keys: Readonly<Record<string, object>>): Readonly<Record<string, Record<string, never>>> {
  return Object.fromEntries(Object.keys(keys).map((key) => [key, {}]));
}

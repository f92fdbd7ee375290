import type { ContainerUpdated, HostConfigBody } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import { resourceLimits } from '../container/limits.ts';
import type { Command } from '../context.ts';
import { containerPath } from '../paths.ts';
import { forEachContainer } from './lifecycle.ts';

export const run: Command = (context) => {
  const { flags, engine, environment } = context;
  const body: HostConfigBody = {
    ...resourceLimits(flags),
    ...(flags.has('restart') ? { RestartPolicy: { Name: flags.string('restart') ?? '' } } : {}),
  };
  if (Object.keys(body).length === 0) {
    throw new BerthError('invalid', 'you must provide one or more flags when using this command', {
      hint: 'as berth update --memory 200m CONTAINER',
    });
  }
  return forEachContainer(context, async (ref) => {
    const { Warnings } = await engine.json<ContainerUpdated>('POST', containerPath(ref, 'update'), { body });
    for (const warning of Warnings ?? []) environment.stderr.write(`WARNING: ${warning}\n`);
    return ref;
  });
};

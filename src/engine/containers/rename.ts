import { BerthError } from '../../errors/index.ts';
import { announce, type Container, type ContainersContext, save } from './container.ts';
import { checkName } from './names.ts';

/** @throws BerthError `conflict` when the name is taken, `invalid` when it is none or the container's own */
export function renameContainer(context: ContainersContext, container: Container, wanted: string): Promise<void> {
  const { table } = context;
  if (wanted === '' || wanted === '/') throw new BerthError('invalid', 'Neither old nor new names may be empty');
  const name = checkName(wanted);
  return container.lock.run(async () => {
    const before = container.record;
    if (container.removed) throw new BerthError('not-found', `No such container: ${container.id}`);
    if (name === before.name) {
      throw new BerthError('invalid', 'Renaming a container with the same name as its current name');
    }
    table.reserve(name, container.id);
    container.record = { ...before, name };
    try {
      await save(context, container);
    } catch (error) {
      container.record = before;
      table.release(name, container.id);
      throw error;
    }
    table.release(before.name, container.id);
    context.networks.rename(container.id, name);
    announce(context, container, 'rename', { oldName: `/${before.name}` });
  });
}

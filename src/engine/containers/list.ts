import type { ContainerSummary, Filters } from '../../api/contract/index.ts';
import { canonicalName, type ImageId, parseReference, withDefaultTag } from '../../oci/index.ts';
import type { Container, ContainersContext } from './container.ts';
import { containerFilter } from './filter.ts';
import { summarize } from './inspect.ts';

export interface ListOptions {
  readonly all: boolean;
  readonly limit?: number;
  readonly size: boolean;
  readonly filters: Filters;
}

/** Newest first. Only running ones, unless all, some number, or a status is asked for. */
export async function listContainers(
  context: ContainersContext,
  options: ListOptions,
): Promise<readonly ContainerSummary[]> {
  const { filters, size } = options;
  const accepts = await containerFilter(context, filters);
  const limit = options.limit && options.limit > 0 ? options.limit : undefined;
  const all = options.all || limit !== undefined || (filters.get('status')?.length ?? 0) > 0;
  const chosen = [...context.table.values()]
    .filter((container) => (all || container.isActive) && accepts(container))
    .sort((a, b) => b.record.createdAt - a.record.createdAt)
    .slice(0, limit);
  const current = currentNames(context);
  return Promise.all(
    chosen.map(async (container) => summarize(context, container, { size, imageName: await current(container) })),
  );
}

/** An image whose name points elsewhere by now is shown by its id. Each name is looked up once. */
function currentNames({ ports }: ContainersContext): (container: Container) => Promise<string> {
  const idOfName = new Map<string, Promise<ImageId | undefined>>();
  return async ({ record }) => {
    const canonical = canonicalOf(record.imageName);
    if (canonical === undefined) return record.imageName;
    let id = idOfName.get(canonical);
    if (!id) {
      id = ports.images.find(canonical).then((image) => image?.id);
      idOfName.set(canonical, id);
    }
    const found = await id;
    // An id prefix is no name in the store, and stays what the user wrote.
    if (found === undefined)
      return record.image.startsWith(`sha256:${record.imageName}`) ? record.imageName : record.image;
    return found === record.image ? record.imageName : record.image;
  };
}

function canonicalOf(name: string): string | undefined {
  try {
    return canonicalName(withDefaultTag(parseReference(name)));
  } catch {
    // An id is not a reference.
    return undefined;
  }
}

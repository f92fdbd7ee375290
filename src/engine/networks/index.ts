import type { NetworksApi } from '../api.ts';
import { connectContainer, disconnectContainer } from '../containers/connect.ts';
import type { ContainersContext } from '../containers/container.ts';

/** The networks half of the engine. */
export function createNetworks(context: ContainersContext): NetworksApi {
  const { networks, table } = context;
  return {
    create: (body) => networks.create(body),
    inspect: (ref) => networks.inspect(ref),
    list: ({ filters }) => networks.list(filters),
    remove: (ref) => networks.remove(ref),
    prune: ({ filters }) => networks.prune(filters),
    connect: async (ref, container, settings) =>
      connectContainer(context, table.get(container), networks.get(ref), settings),
    disconnect: async (ref, container) => disconnectContainer(context, table.get(container), networks.get(ref)),
  };
}

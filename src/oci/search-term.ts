import { parseRegistry, type Registry } from './reference.ts';

/**
 * What a search term asks, and of whom: `HOST/TERM` asks that host, everything else Docker Hub.
 * @throws BerthError `invalid`
 * @see moby daemon/pkg/registry/search.go, "splitReposSearchTerm"
 */
export function searchedRegistry(term: string): { readonly registry: Registry; readonly term: string } {
  const slash = term.indexOf('/');
  const host = term.slice(0, Math.max(slash, 0));
  const isHost = /[.:]/.test(host) || host === 'localhost';
  if (!isHost) return { registry: 'docker.io', term: term.replace(/^library\//, '') };
  const isHub = host === 'docker.io' || host === 'index.docker.io';
  return {
    registry: isHub ? 'docker.io' : parseRegistry(host),
    term: term.slice(slash + 1).replace(/^library\//, isHub ? '' : '$&'),
  };
}

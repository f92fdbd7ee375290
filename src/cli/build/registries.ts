import { parseReference } from '../../oci/index.ts';

/** `FROM [--platform=...] NAME`, `--from=NAME` of COPY, and `from=NAME` of a mount. */
const NAMES = [/^[ \t]*from(?:[ \t]+--\S+)*[ \t]+([^\s#]+)/gim, /--from=(\S+)/gi, /[=,]from=([^\s,]+)/gi];

/**
 * Registries of the images that a Dockerfile names; `all` when a name is not known before the build. Stages and what is
 * no image name may be among them: they stand for Docker Hub, as such names do.
 */
export function registriesOf(dockerfile: string | undefined): ReadonlySet<string> | 'all' {
  if (dockerfile === undefined) return 'all';
  const names = NAMES.flatMap((pattern) => [...dockerfile.matchAll(pattern)].map(([, name = '']) => name));
  if (names.some((name) => name.includes('$') || /[\\`]$/.test(name))) return 'all';
  return new Set(names.flatMap(registryNamed));
}

function registryNamed(name: string): string[] {
  try {
    return [parseReference(name.replace(/^["']|["']$/g, '')).registry];
  } catch {
    return [];
  }
}

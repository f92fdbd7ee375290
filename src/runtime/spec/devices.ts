import type { OciDevice, OciDeviceRule } from './oci-config.ts';

/**
 * Which devices a container may open. Making a node is allowed for every device (so that unpacking an archive
 * works, as in Docker), opening only for the harmless ones that the runtime puts into /dev.
 * @see moby oci/defaults.go
 */
export const defaultDeviceRules: readonly OciDeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  // /dev/null, zero, full, random, urandom
  ...[3, 5, 7, 8, 9].map((minor): OciDeviceRule => ({ allow: true, type: 'c', major: 1, minor, access: 'rwm' })),
  // /dev/tty, console, ptmx
  ...[0, 1, 2].map((minor): OciDeviceRule => ({ allow: true, type: 'c', major: 5, minor, access: 'rwm' })),
  // pseudo-terminals
  { allow: true, type: 'c', major: 136, access: 'rwm' },
];

export const everyDevice: readonly OciDeviceRule[] = [{ allow: true, access: 'rwm' }];

/** Nodes that the runtime makes by itself, or that belong to the container's own mounts. */
const ownNodes = new Set([
  'null',
  'zero',
  'full',
  'random',
  'urandom',
  'tty',
  'console',
  'ptmx',
  'fd',
  'stdin',
  'stdout',
  'stderr',
  'core',
]);

/** The host devices that a privileged container gets beside the default ones. */
export function privilegedDevices(host: readonly OciDevice[]): readonly OciDevice[] {
  return host.filter((device) => {
    const name = device.path.slice('/dev/'.length);
    return !ownNodes.has(name) && !/^(pts|shm|mqueue|\.lxc|\.udev)(\/|$)/.test(name);
  });
}

/** A device of `--device`, in its place in the container, with the rule that lets it be opened. */
export function givenDevices(
  { source, target, permissions }: { readonly source: string; readonly target: string; readonly permissions: string },
  found: readonly OciDevice[],
): readonly { readonly device: OciDevice; readonly rule: OciDeviceRule }[] {
  return found.map((device) => {
    const { type, major, minor, path } = device;
    return {
      // A folder brings all devices below it.
      device: { ...device, path: `${target}${path.slice(source.length)}` },
      rule: { allow: true, type, major, minor, access: permissions },
    };
  });
}

/** Reads `c 1:3 rwm`, checked before; `*` is any number. */
export function parseDeviceRule(text: string): OciDeviceRule {
  const [type = '', numbers = '', access = ''] = text.split(' ');
  const [major = '*', minor = '*'] = numbers.split(':');
  return {
    allow: true,
    type: type as 'a' | 'b' | 'c',
    ...(major === '*' ? {} : { major: Number(major) }),
    ...(minor === '*' ? {} : { minor: Number(minor) }),
    access,
  };
}

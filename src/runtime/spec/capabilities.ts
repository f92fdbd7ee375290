import { nearest } from '../../diagnostics/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { OciCapabilities } from './oci-config.ts';

/** Every capability, in the kernel's order: the index is its number. @see linux/capability.h */
export const allCapabilities: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
];

/** What Docker gives a container that asks for nothing. */
export const defaultCapabilities: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
];

export interface CapabilityRequest {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly privileged: boolean;
  /** What this process itself holds: nothing else can be handed on. */
  readonly available: ReadonlySet<string>;
}

/**
 * The capabilities of a container. `ALL` works in both lists; an explicit name wins over `ALL` in the other list.
 * @throws BerthError `invalid` for an unknown name, `forbidden` for one that the engine does not hold itself
 * @see moby oci/caps TweakCapabilities
 */
export function resolveCapabilities(request: CapabilityRequest): readonly string[] {
  const { available } = request;
  const add = request.add.map(canonicalName);
  const drop = request.drop.map(canonicalName);
  if (request.privileged) return allCapabilities.filter((name) => available.has(name));

  const missing = add.find((name) => name !== 'ALL' && !available.has(name));
  if (missing) {
    throw new BerthError(
      'forbidden',
      `capability ${missing} cannot be given to a container: the engine does not hold it`,
      {
        hint: 'start the engine as root, outside a restricted container',
      },
    );
  }
  let base = defaultCapabilities;
  if (add.includes('ALL')) base = allCapabilities;
  if (drop.includes('ALL')) base = add.includes('ALL') ? allCapabilities : [];
  const wanted = new Set(base.filter((name) => !drop.includes(name)));
  for (const name of add) if (name !== 'ALL') wanted.add(name);
  return allCapabilities.filter((name) => wanted.has(name) && available.has(name));
}

/** `net_admin`, `CAP_NET_ADMIN` -> `CAP_NET_ADMIN`; `all` -> `ALL`. */
function canonicalName(text: string): string {
  const upper = text.trim().toUpperCase();
  if (upper === 'ALL' || upper === 'CAP_ALL') return 'ALL';
  const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (allCapabilities.includes(name)) return name;
  const meant = nearest(name, allCapabilities);
  throw new BerthError('invalid', `unknown capability: "${text}"`, meant ? { hint: `did you mean ${meant}?` } : {});
}

/** The names in a hexadecimal mask as `/proc/PID/status` shows it. */
export function capabilitiesOfMask(hex: string): ReadonlySet<string> {
  const mask = BigInt(`0x${hex}`);
  return new Set(allCapabilities.filter((_, number) => (mask >> BigInt(number)) & 1n));
}

export function capabilitySets(names: readonly string[]): OciCapabilities {
  return { bounding: names, effective: names, permitted: names, inheritable: [], ambient: [] };
}

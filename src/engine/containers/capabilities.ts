import { BerthError } from '../../errors/index.ts';

/** @see Linux capabilities(7) */
const CAPABILITIES = new Set(
  'AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM'.split(
    ' ',
  ),
);

/**
 * Names in the one form that the kernel's list has: `CAP_NET_ADMIN`, or `ALL`.
 * @throws BerthError `invalid`
 */
export function capabilityNames(field: 'CapAdd' | 'CapDrop', names: readonly string[]): readonly string[] {
  return names.map((name) => {
    const bare = name.toUpperCase().replace(/^CAP_/, '');
    if (bare === 'ALL') return 'ALL';
    if (CAPABILITIES.has(bare)) return `CAP_${bare}`;
    throw new BerthError('invalid', `invalid ${field}: unknown capability: "${name}"`);
  });
}

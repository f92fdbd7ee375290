import type { OciSeccomp, SeccompRule } from './oci-config.ts';
import { allowedSyscalls, capabilitySyscalls, refusedSyscalls } from './seccomp-syscalls.ts';

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** Kernel crypto sockets: a way to write into the page cache of files that others use (CVE-2026-31431). */
const AF_ALG = 38;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. @see sched.h */
const namespaceFlags = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000];
const allNamespaceFlags = namespaceFlags.reduce((sum, flag) => sum + flag, 0);

/** PER_LINUX, PER_LINUX32, each with and without UNAME26, and the query. */
const personalities = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

const architectures: Readonly<Record<string, readonly string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};

/**
 * The seccomp profile of a container that holds these capabilities. Calls that are not named answer ENOSYS: a C library
 * then falls back as it does on an older kernel, where EPERM would break programs newer than this list.
 * @param machine as `process.arch`; undefined is returned for one without a profile
 */
export function seccompProfile(capabilities: readonly string[], machine: string): OciSeccomp | undefined {
  const supported = architectures[machine];
  if (!supported) return undefined;
  const held = new Set(capabilities);
  const granted = new Set<string>();
  const refused = new Set(refusedSyscalls);
  for (const [capability, names] of Object.entries(capabilitySyscalls)) {
    for (const name of names)
      if (held.has(capability)) granted.add(name);
      else refused.add(name);
  }
  const syscalls: SeccompRule[] = [
    { names: [...allowedSyscalls, ...granted], action: 'SCMP_ACT_ALLOW' },
    { names: [...refused].filter((name) => !granted.has(name)), action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
    ...personalities.map(
      (value): SeccompRule => ({
        names: ['personality'],
        action: 'SCMP_ACT_ALLOW',
        args: [{ index: 0, op: 'SCMP_CMP_EQ', value }],
      }),
    ),
    ...socketRules,
    ...(held.has('CAP_SYS_ADMIN') ? [{ names: ['clone', 'clone3'], action: 'SCMP_ACT_ALLOW' } as const] : cloneRules),
  ];
  return { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: ENOSYS, architectures: supported, syscalls };
}

/**
 * Address families below AF_ALG are allowed; it and the exotic ones above do not exist in a container. `socketcall`
 * hides the family behind a pointer, so it is refused: a 32-bit program must use `socket` itself (Linux 4.3).
 */
const socketRules: readonly SeccompRule[] = [
  { names: ['socketcall'], action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
  { names: ['socket'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, op: 'SCMP_CMP_LT', value: AF_ALG }] },
  {
    names: ['socket'],
    action: 'SCMP_ACT_ERRNO',
    errnoRet: EAFNOSUPPORT,
    args: [{ index: 0, op: 'SCMP_CMP_GE', value: AF_ALG }],
  },
];

/** `clone` without namespaces; `clone3` hides its flags behind a pointer, so ENOSYS sends C libraries back to `clone`. */
const cloneRules: readonly SeccompRule[] = [
  {
    names: ['clone'],
    action: 'SCMP_ACT_ALLOW',
    args: [{ index: 0, op: 'SCMP_CMP_MASKED_EQ', value: allNamespaceFlags, valueTwo: 0 }],
  },
  ...namespaceFlags.map(
    (flag): SeccompRule => ({
      names: ['clone'],
      action: 'SCMP_ACT_ERRNO',
      errnoRet: EPERM,
      args: [{ index: 0, op: 'SCMP_CMP_MASKED_EQ', value: flag, valueTwo: flag }],
    }),
  ),
];

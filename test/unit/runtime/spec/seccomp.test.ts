import { describe, expect, it } from 'vitest';
import { allCapabilities, defaultCapabilities } from '../../../../src/runtime/spec/capabilities.ts';
import type { SeccompRule } from '../../../../src/runtime/spec/oci-config.ts';
import { seccompProfile } from '../../../../src/runtime/spec/seccomp.ts';
import { allowedSyscalls, capabilitySyscalls, refusedSyscalls } from '../../../../src/runtime/spec/seccomp-syscalls.ts';

const rulesFor = (name: string, capabilities = defaultCapabilities): readonly SeccompRule[] =>
  seccompProfile(capabilities, 'x64')!.syscalls.filter((rule) => rule.names.includes(name));
const actions = (name: string, capabilities = defaultCapabilities) =>
  rulesFor(name, capabilities).map((rule) => [rule.action, rule.errnoRet, rule.args]);

describe('seccomp profile', () => {
  it('answers ENOSYS to what it does not name, so that C libraries fall back', () => {
    expect(seccompProfile(defaultCapabilities, 'x64')).toMatchObject({
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 38,
    });
    expect(actions('clone3')).toEqual([]);
  });

  it('refuses with EPERM what needs a capability that the container lacks, and allows it with that', () => {
    expect(actions('mount')).toEqual([['SCMP_ACT_ERRNO', 1, undefined]]);
    expect(actions('mount', [...defaultCapabilities, 'CAP_SYS_ADMIN'])).toEqual([
      ['SCMP_ACT_ALLOW', undefined, undefined],
    ]);
    expect(actions('syslog', ['CAP_SYSLOG'])).toEqual([['SCMP_ACT_ALLOW', undefined, undefined]]);
    expect(actions('settimeofday')).toEqual([['SCMP_ACT_ERRNO', 1, undefined]]);
  });

  it('refuses kernel keys, modules and io_uring to every container', () => {
    for (const name of ['add_key', 'kexec_load', 'io_uring_setup', 'userfaultfd']) {
      expect(actions(name, allCapabilities)).toEqual([['SCMP_ACT_ERRNO', 1, undefined]]);
    }
  });

  it('has no AF_ALG sockets, also by socketcall', () => {
    expect(rulesFor('socket').map((rule) => [rule.action, rule.args?.[0]?.op, rule.args?.[0]?.value])).toEqual([
      ['SCMP_ACT_ALLOW', 'SCMP_CMP_LT', 38],
      ['SCMP_ACT_ERRNO', 'SCMP_CMP_GE', 38],
    ]);
    expect(actions('socketcall')).toEqual([['SCMP_ACT_ERRNO', 1, undefined]]);
  });

  it('allows clone without any namespace flag only', () => {
    const [allow, ...refuse] = rulesFor('clone');
    expect(allow).toMatchObject({
      action: 'SCMP_ACT_ALLOW',
      args: [{ op: 'SCMP_CMP_MASKED_EQ', value: 0x7e020000, valueTwo: 0 }],
    });
    expect(refuse).toHaveLength(7);
    expect(actions('clone', allCapabilities)).toEqual([['SCMP_ACT_ALLOW', undefined, undefined]]);
  });

  it('names each call in one list', () => {
    const lists = [allowedSyscalls, refusedSyscalls, [...new Set(Object.values(capabilitySyscalls).flat())]];
    const names = lists.flat();
    expect(names.filter((name, position) => names.indexOf(name) !== position)).toEqual([]);
    expect(names.filter((name) => !/^[a-z0-9_]+$/.test(name))).toEqual([]);
  });

  it('knows x86-64 and arm64 with their 32-bit modes', () => {
    expect(seccompProfile([], 'x64')?.architectures).toEqual(['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']);
    expect(seccompProfile([], 'arm64')?.architectures).toEqual(['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
    expect(seccompProfile([], 'mips')).toBeUndefined();
  });
});

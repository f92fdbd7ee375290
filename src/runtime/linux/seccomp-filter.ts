import { closeSync, constants, readFileSync } from 'node:fs';
import { call, libraryFunction } from '../../linux/index.ts';
import type { OciSeccomp, SeccompArgument } from '../spec/oci-config.ts';

/** Numbers of libseccomp's interface. @see seccomp.h */
const actions = { SCMP_ACT_ALLOW: 0x7fff0000, SCMP_ACT_ERRNO: 0x00050000 } as const;
const operators = {
  SCMP_CMP_NE: 1,
  SCMP_CMP_LT: 2,
  SCMP_CMP_LE: 3,
  SCMP_CMP_EQ: 4,
  SCMP_CMP_GE: 5,
  SCMP_CMP_GT: 6,
  SCMP_CMP_MASKED_EQ: 7,
} as const;
const SCMP_FLTATR_CTL_OPTIMIZE = 8;
const BINARY_TREE = 2;
const unknownSyscall = -1;

type Function = (...args: unknown[]) => unknown;
interface Library {
  readonly init: Function;
  readonly release: Function;
  readonly addArchitecture: Function;
  readonly architecture: Function;
  readonly syscall: Function;
  readonly addRule: Function;
  readonly setAttribute: Function;
  readonly exportFilter: Function;
}

let library: Library | undefined;

/**
 * Compiles a profile to the kernel's filter program, with libseccomp, sorted as a binary tree. A runtime does the same
 * anew for each container, which takes longer than all the rest of its work.
 * @returns undefined where libseccomp is missing or refuses the profile: the runtime then compiles it itself
 */
export function compileFilter(profile: OciSeccomp): Buffer | undefined {
  try {
    library ??= openLibrary();
    return compile(library, profile);
  } catch {
    return undefined;
  }
}

function compile(lib: Library, profile: OciSeccomp): Buffer {
  const context = lib.init(actionCode(profile.defaultAction, profile.defaultErrnoRet));
  if (!context) throw new Error('seccomp_init failed');
  try {
    // The machine's own architecture, which the context has from the start, is refused a second time: EEXIST.
    for (const name of profile.architectures)
      lib.addArchitecture(context, lib.architecture(name.slice('SCMP_ARCH_'.length).toLowerCase()));
    // Older libraries sort linearly only.
    lib.setAttribute(context, SCMP_FLTATR_CTL_OPTIMIZE, BINARY_TREE);
    for (const rule of profile.syscalls) {
      const args = encodeArguments(rule.args ?? []);
      for (const name of rule.names) {
        const number = lib.syscall(name);
        if (number === unknownSyscall) continue;
        const action = actionCode(rule.action, rule.errnoRet);
        const failure = lib.addRule(context, action, number, rule.args?.length ?? 0, args);
        if (failure !== 0) throw new Error(`libseccomp refuses the rule for ${name} (${failure})`);
      }
    }
    return exported(lib, context);
  } finally {
    lib.release(context);
  }
}

function actionCode(action: keyof typeof actions, errno = 1): number {
  return action === 'SCMP_ACT_ERRNO' ? actions[action] | errno : actions[action];
}

/** `struct scmp_arg_cmp`: argument number, operator, two 64-bit operands. */
function encodeArguments(args: readonly SeccompArgument[]): Buffer {
  const bytes = Buffer.alloc(24 * Math.max(1, args.length));
  args.forEach((arg, position) => {
    const at = position * 24;
    bytes.writeUInt32LE(arg.index, at);
    bytes.writeUInt32LE(operators[arg.op], at + 4);
    bytes.writeBigUInt64LE(BigInt(arg.value), at + 8);
    bytes.writeBigUInt64LE(BigInt(arg.valueTwo ?? 0), at + 16);
  });
  return bytes;
}

/** The library writes to a descriptor: a file in memory takes it. */
function exported(lib: Library, context: unknown): Buffer {
  const fd = call('int memfd_create(const char*, unsigned int)', 'berth-seccomp', 1);
  try {
    if (lib.exportFilter(context, fd) !== 0) throw new Error('seccomp_export_bpf failed');
    call('int64_t lseek(int, int64_t, int)', fd, 0, constants.O_RDONLY);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

function openLibrary(): Library {
  const open = (prototype: string) => libraryFunction('libseccomp.so.2', prototype);
  return {
    init: open('void* seccomp_init(uint32_t)'),
    release: open('void seccomp_release(void*)'),
    addArchitecture: open('int seccomp_arch_add(void*, uint32_t)'),
    architecture: open('uint32_t seccomp_arch_resolve_name(const char*)'),
    syscall: open('int seccomp_syscall_resolve_name(const char*)'),
    addRule: open('int seccomp_rule_add_array(void*, uint32_t, int, unsigned int, void*)'),
    setAttribute: open('int seccomp_attr_set(void*, int, uint32_t)'),
    exportFilter: open('int seccomp_export_bpf(void*, int)'),
  };
}

import { BerthError } from '../../errors/index.ts';
import type { ContainerIsolation } from '../../oci/index.ts';

type SecurityOptions = Pick<
  ContainerIsolation,
  'noNewPrivileges' | 'seccomp' | 'apparmor' | 'maskedPaths' | 'readonlyPaths'
>;

/**
 * Reads `--security-opt` values, in the forms `key=value` and the older `key:value`. A seccomp profile comes as the text
 * of its file. Pure.
 * @throws BerthError `invalid`
 */
export function securityOptions(options: readonly string[], privileged: boolean): SecurityOptions {
  let read: SecurityOptions = privileged ? { seccomp: 'unconfined' } : {};
  for (const option of options) read = { ...read, ...readOption(option) };
  return read;
}

function readOption(option: string): SecurityOptions {
  if (option === 'no-new-privileges') return { noNewPrivileges: true };
  const [, key = '', value = ''] = /^([a-z-]+)[=:](.*)$/s.exec(option) ?? [];
  switch (key) {
    case 'no-new-privileges':
      if (value !== 'true' && value !== 'false') throw invalid(option);
      return { noNewPrivileges: value === 'true' };
    case 'seccomp':
      if (value === 'unconfined' || value === 'builtin' || value === 'default') {
        return { seccomp: value === 'unconfined' ? value : 'default' };
      }
      return { seccomp: { profile: parsedProfile(value) } };
    case 'apparmor':
      return { apparmor: value };
    // SELinux labels: there is nothing to do where SELinux is not.
    case 'label':
      return {};
    case 'systempaths':
      if (value !== 'unconfined') throw invalid(option);
      return { maskedPaths: [], readonlyPaths: [] };
    default:
      throw invalid(option);
  }
}

function parsedProfile(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'defaultAction' in value) return { ...value };
  } catch (cause) {
    throw new BerthError('invalid', `Decoding seccomp profile failed: ${(cause as Error).message}`, { cause });
  }
  throw new BerthError('invalid', 'Decoding seccomp profile failed: there is no defaultAction in it');
}

function invalid(option: string): BerthError {
  return new BerthError('invalid', `invalid --security-opt 1: ${JSON.stringify(option.slice(0, 100))}`, {
    hint: 'there are no-new-privileges, seccomp=, apparmor=, label= and systempaths=unconfined',
  });
}

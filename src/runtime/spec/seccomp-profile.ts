import { BerthError } from '../../errors/index.ts';
import type { OciSeccomp } from './oci-config.ts';

type Fields = Readonly<Record<string, unknown>>;

const ARCHITECTURES: Readonly<Record<string, { readonly docker: string; readonly scmp: string }>> = {
  x64: { docker: 'amd64', scmp: 'SCMP_ARCH_X86_64' },
  arm64: { docker: 'arm64', scmp: 'SCMP_ARCH_AARCH64' },
};

/**
 * A user's seccomp profile as the runtime takes it: Docker's form has rules that count only with some capabilities, on
 * some machines or kernels. Pure.
 * @param kernel as `6.1.0`
 * @throws BerthError `invalid`
 * @see moby profiles/seccomp
 */
export function customSeccomp(
  profile: Fields,
  capabilities: readonly string[],
  machine: string,
  kernel: string,
): OciSeccomp {
  const own = ARCHITECTURES[machine];
  const { archMap, syscalls, architectures, ...rest } = profile;
  if (archMap !== undefined && architectures !== undefined) {
    throw new BerthError(
      'invalid',
      "'architectures' and 'archMap' were specified in the seccomp profile, use either one",
    );
  }
  const mapped = list(archMap).find((entry) => entry['architecture'] === own?.scmp);
  const facts = { capabilities: new Set(capabilities), machine: own?.docker ?? machine, kernel };
  const rules = list(syscalls)
    .filter((rule) => counts(rule, facts))
    .map(({ includes: _includes, excludes: _excludes, comment: _comment, name, names, ...rule }) => ({
      ...rule,
      names: names ?? [name],
    }));
  return {
    ...rest,
    ...(architectures ? { architectures } : {}),
    ...(mapped ? { architectures: [mapped['architecture'], ...((mapped['subArchitectures'] as string[]) ?? [])] } : {}),
    syscalls: rules,
    // What else a user wrote is for the runtime to judge.
  } as unknown as OciSeccomp;
}

interface Facts {
  readonly capabilities: ReadonlySet<string>;
  readonly machine: string;
  readonly kernel: string;
}

function counts(rule: Fields, facts: Facts): boolean {
  const { includes, excludes } = rule as { includes?: Fields; excludes?: Fields };
  const has = (names: unknown, test: (name: string) => boolean) => texts(names).some(test);
  if (has(excludes?.['arches'], (name) => name === facts.machine)) return false;
  if (has(excludes?.['caps'], (name) => facts.capabilities.has(name))) return false;
  if (excludes?.['minKernel'] !== undefined && isAtLeast(facts.kernel, String(excludes['minKernel']))) return false;
  const arches = texts(includes?.['arches']);
  if (arches.length > 0 && !arches.includes(facts.machine)) return false;
  if (!texts(includes?.['caps']).every((name) => facts.capabilities.has(name))) return false;
  return includes?.['minKernel'] === undefined || isAtLeast(facts.kernel, String(includes['minKernel']));
}

function isAtLeast(kernel: string, least: string): boolean {
  const [a, b] = [kernel, least].map((text) => text.split(/[.-]/).slice(0, 2).map(Number));
  return a![0]! > b![0]! || (a![0] === b![0] && (a![1] ?? 0) >= (b![1] ?? 0));
}

function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? (value as readonly Fields[]) : [];
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : [];
}

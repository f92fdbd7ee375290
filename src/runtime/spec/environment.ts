export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Variables that a process gets unless its environment names them. Undefined ones are left out. */
export interface EnvironmentDefaults {
  readonly home: string;
  readonly hostname?: string;
  readonly tty: boolean;
}

/** The environment with what Docker adds: PATH, HOSTNAME and TERM in front, HOME behind. The last of equal names wins. */
export function completeEnvironment(env: readonly string[], defaults: EnvironmentDefaults): readonly string[] {
  const values = new Map<string, string>([['PATH', defaultPath]]);
  if (defaults.hostname !== undefined) values.set('HOSTNAME', defaults.hostname);
  if (defaults.tty) values.set('TERM', 'xterm');
  for (const entry of env) {
    const equals = entry.indexOf('=', 1);
    if (equals > 0) values.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  if (!values.has('HOME')) values.set('HOME', defaults.home);
  return [...values].map(([name, value]) => `${name}=${value}`);
}

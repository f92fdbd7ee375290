import { BerthError } from '../../errors/index.ts';
import { flags } from '../linux/libc.ts';

/** What `mount(2)` is to be called with for a volume of the local driver. */
export interface VolumeMount {
  readonly type: string;
  readonly device: string;
  readonly flags: number;
  readonly data: string;
  /** Of `addr=`: a host that has to be looked up before the kernel gets it. */
  readonly host?: string;
}

const KEYS = ['type', 'device', 'o'];

/** Words of `o` that are flags; a word of value 0 asks for what is so anyway. */
const FLAGS: Readonly<Record<string, number>> = {
  defaults: 0,
  rw: 0,
  exec: 0,
  suid: 0,
  dev: 0,
  ro: flags.MS_RDONLY,
  nosuid: flags.MS_NOSUID,
  nodev: flags.MS_NODEV,
  noexec: flags.MS_NOEXEC,
  sync: flags.MS_SYNCHRONOUS,
  async: 0,
  dirsync: flags.MS_DIRSYNC,
  noatime: flags.MS_NOATIME,
  nodiratime: flags.MS_NODIRATIME,
  relatime: flags.MS_RELATIME,
  strictatime: flags.MS_STRICTATIME,
  bind: flags.MS_BIND,
  rbind: flags.MS_BIND | flags.MS_REC,
};

/**
 * Reads the options of the local driver: none is a plain folder. Pure.
 * @throws BerthError `invalid` for options that are unknown or that lack others
 * @see moby volume/local
 */
export function volumeMount(options: Readonly<Record<string, string>>): VolumeMount | undefined {
  for (const key of Object.keys(options)) {
    if (KEYS.includes(key)) continue;
    throw new BerthError('invalid', `invalid option: ${JSON.stringify(key)}`, {
      hint: `the local driver takes ${KEYS.join(', ')}`,
    });
  }
  const { type = '', device = '', o = '' } = options;
  if (type === '' && device === '' && o === '') return undefined;
  for (const [key, value] of Object.entries({ device, type })) {
    if (value === '') throw new BerthError('invalid', `missing required option: ${JSON.stringify(key)}`);
  }
  let mountFlags = 0;
  let host: string | undefined;
  const data: string[] = [];
  for (const word of o.split(',').filter((text) => text !== '')) {
    const flag = FLAGS[word];
    if (flag !== undefined) mountFlags |= flag;
    else if (word.startsWith('addr=') && isNetworked(type)) host = word.slice('addr='.length);
    else data.push(word);
  }
  return { type, device, flags: mountFlags, data: data.join(','), ...(host === undefined ? {} : { host }) };
}

function isNetworked(type: string): boolean {
  return type === 'nfs' || type === 'nfs4' || type === 'cifs';
}

import { BerthError } from '../../errors/index.ts';

/** The engine that a command talks to. */
export interface Host {
  /** As `unix:///run/berth/berth.sock` or `tcp://127.0.0.1:2375`. */
  readonly url: string;
  /** This machine's own engine: it shares our files, and it is started when it is not there. */
  readonly isLocal: boolean;
}

/** `-H`, then BERTH_HOST, then DOCKER_HOST, then the local socket. @throws BerthError `invalid` */
export function selectHost(flags: readonly string[], env: Readonly<Record<string, string | undefined>>): Host {
  if (flags.length > 1) throw new BerthError('invalid', 'specify only one -H');
  const local = `unix://${(env['BERTH_RUN_ROOT'] || '/run/berth').replace(/\/+$/, '')}/berth.sock`;
  const wanted = flags[0] || env['BERTH_HOST'] || env['DOCKER_HOST'] || local;
  const url = wanted.startsWith('/') ? `unix://${wanted}` : wanted;
  return { url, isLocal: url === local };
}

import { isIP } from 'node:net';

/** Where questions go that no container answers, as `resolv.conf` and `--dns` say it. */
export interface Upstream {
  /** Addresses, with `#port` when it is not 53. They are asked in the host's network namespace. */
  readonly servers: readonly string[];
  /**
   * Options of the container's `resolv.conf`: `timeout`, `attempts`, `rotate` and `ndots` are heeded. Search domains
   * are no matter of ours: the C library in the container adds them before it asks.
   */
  readonly options: readonly string[];
}

export interface Server {
  readonly address: string;
  readonly port: number;
}

/** The same, understood. */
export interface UpstreamPlan {
  readonly servers: readonly Server[];
  /** For one server to answer. */
  readonly timeoutMs: number;
  /** Rounds through the servers. */
  readonly attempts: number;
  readonly rotate: boolean;
  /**
   * Unknown names without a dot are not asked for: who sets `ndots` to more than nothing wants them with a search domain
   * first. @see moby, libnetwork/resolver.go
   */
  readonly holdsBareNames: boolean;
}

const DEFAULT_PORT = 53;
/** As the C library: more are ignored. */
const MAX_SERVERS = 3;
const DEFAULT_TIMEOUT_S = 4;
const DEFAULT_ATTEMPTS = 2;
const OWN_ADDRESS = '127.0.0.11';

/** Never fails: what makes no sense is left out. Pure. */
export function planUpstream({ servers, options }: Upstream): UpstreamPlan {
  const number = (name: string, fallback: number, most: number) => {
    const text = options.findLast((option) => option.startsWith(`${name}:`))?.slice(name.length + 1) ?? '';
    return /^\d+$/.test(text) ? Math.min(Number(text), most) : fallback;
  };
  return {
    servers: servers.flatMap(serverOf).slice(0, MAX_SERVERS),
    timeoutMs: Math.max(1, number('timeout', DEFAULT_TIMEOUT_S, 30)) * 1000,
    attempts: Math.max(1, number('attempts', DEFAULT_ATTEMPTS, 5)),
    rotate: options.includes('rotate'),
    holdsBareNames: number('ndots', 0, 15) > 0,
  };
}

function serverOf(text: string): readonly Server[] {
  const [address = '', port = String(DEFAULT_PORT)] = text.split('#');
  const isPort = /^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65536;
  // Our own address would be asking ourselves, or whatever the host has there.
  return isIP(address) > 0 && isPort && address !== OWN_ADDRESS ? [{ address, port: Number(port) }] : [];
}

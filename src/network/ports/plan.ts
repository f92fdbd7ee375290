import { BerthError } from '../../errors/index.ts';

export type Protocol = 'tcp' | 'udp' | 'sctp';

/** A port of a container that the host is to have, as it was asked for. */
export interface PortRequest {
  readonly protocol: Protocol;
  readonly containerPort: number;
  /** Empty: every address of the host. */
  readonly hostIp: string;
  /** Both ends included; absent: any free one. */
  readonly hostPorts?: { readonly first: number; readonly last: number };
}

/** A port of the host that is taken. */
export interface Claim {
  readonly protocol: Protocol;
  readonly hostIp: string;
  readonly hostPort: number;
}

/** Every address of one family. */
export const ANY_V4 = '0.0.0.0';
export const ANY_V6 = '::';

/** The addresses that a request means: without one, all of both families. */
export function hostAddresses({ hostIp }: PortRequest): readonly string[] {
  return hostIp === '' ? [ANY_V4, ANY_V6] : [hostIp];
}

/** What the engine has given out: the kernel would not tell its own ports from those of others. Pure but for its state. */
export class PortTable {
  readonly #claims = new Set<Claim>();
  readonly #dynamic: { readonly first: number; readonly last: number };
  #next: number;

  /** @param dynamic ports for requests that name none */
  constructor(dynamic: { readonly first: number; readonly last: number }) {
    this.#dynamic = dynamic;
    this.#next = dynamic.first;
  }

  add(claim: Claim): void {
    this.#claims.add(claim);
  }

  /** Idempotent. */
  delete(claim: Claim): void {
    this.#claims.delete(claim);
  }

  isTaken(wanted: Claim): boolean {
    for (const claim of this.#claims) if (collide(claim, wanted)) return true;
    return false;
  }

  /**
   * Host ports for a request, best first, that no container has on any of its addresses. A port that was given out by
   * chance is the last one to be given out again.
   */
  *candidates(request: PortRequest): Generator<number> {
    const { first, last } = request.hostPorts ?? this.#dynamic;
    const count = last - first + 1;
    const start = request.hostPorts ? first : this.#next;
    for (let tried = 0; tried < count; tried += 1) {
      const hostPort = first + ((start - first + tried) % count);
      const taken = hostAddresses(request).some((hostIp) =>
        this.isTaken({ protocol: request.protocol, hostIp, hostPort }),
      );
      if (taken) continue;
      if (!request.hostPorts) this.#next = hostPort >= last ? first : hostPort + 1;
      yield hostPort;
    }
  }
}

/** The error for a request that finds no port. The text is Docker's. */
export function portsTaken(request: PortRequest): BerthError {
  const { hostPorts, hostIp } = request;
  const address = hostIp === '' ? ANY_V4 : hostIp;
  if (hostPorts && hostPorts.first === hostPorts.last) {
    const place = `${address.includes(':') ? `[${address}]` : address}:${hostPorts.first}`;
    return new BerthError('conflict', `Bind for ${place} failed: port is already allocated`);
  }
  return new BerthError('exhausted', 'all ports are allocated', {
    hint: hostPorts
      ? `every port of ${hostPorts.first}-${hostPorts.last} is in use: choose another range`
      : 'the range is that of net.ipv4.ip_local_port_range',
  });
}

function collide(a: Claim, b: Claim): boolean {
  if (a.protocol !== b.protocol || a.hostPort !== b.hostPort) return false;
  if (a.hostIp.includes(':') !== b.hostIp.includes(':')) return false;
  const any = a.hostIp.includes(':') ? ANY_V6 : ANY_V4;
  return a.hostIp === b.hostIp || a.hostIp === any || b.hostIp === any;
}

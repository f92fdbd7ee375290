import type { ContainerInspect } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { Command } from '../context.ts';
import { containerPath } from '../paths.ts';

/** Where a container's ports are on the host, all or those of one. @see docker/cli command/container/port.go */
export const run: Command = async ({ args, engine, environment }) => {
  const [ref = '', wanted] = args;
  const { NetworkSettings } = await engine.json<ContainerInspect>('GET', containerPath(ref, 'json'));
  const place = ({ HostIp, HostPort }: { HostIp: string; HostPort: string }) =>
    `${HostIp.includes(':') ? `[${HostIp}]` : HostIp}:${HostPort}`;
  const lines: string[] = [];
  if (wanted === undefined) {
    for (const [port, places] of Object.entries(NetworkSettings.Ports)) {
      lines.push(...(places ?? []).map((one) => `${port} -> ${place(one)}`));
    }
  } else {
    const key = wanted.includes('/') ? wanted : `${wanted}/tcp`;
    const places = NetworkSettings.Ports[key] ?? [];
    if (places.length === 0) {
      throw new BerthError('invalid', `no public port '${wanted}' published for ${ref}`);
    }
    lines.push(...places.map(place));
  }
  environment.stdout.write(
    lines
      .sort()
      .map((line) => `${line}\n`)
      .join(''),
  );
  return 0;
};

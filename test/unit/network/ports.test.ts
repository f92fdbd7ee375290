import { describe, expect, it } from 'vitest';
import { type PortRequest, PortTable, portsTaken } from '../../../src/network/ports/plan.ts';

const web: PortRequest = { protocol: 'tcp', containerPort: 80, hostIp: '' };
const exactly = (port: number) => ({ first: port, last: port });
const claim = (hostIp: string, hostPort: number, protocol: 'tcp' | 'udp' = 'tcp') => ({ protocol, hostIp, hostPort });

function table(...claims: ReturnType<typeof claim>[]): PortTable {
  const made = new PortTable({ first: 100, last: 103 });
  for (const one of claims) made.add(one);
  return made;
}

describe('ports of the host', () => {
  it('are tried from the first of a range on, and what a container has is left out', () => {
    const ports = table(claim('0.0.0.0', 8080));
    expect([...ports.candidates({ ...web, hostPorts: { first: 8079, last: 8082 } })]).toEqual([8079, 8081, 8082]);
    expect([...ports.candidates({ ...web, hostPorts: exactly(8080) })]).toEqual([]);
  });

  it('collide by address, family and protocol', () => {
    const ports = table(claim('127.0.0.1', 80), claim('::', 81), claim('0.0.0.0', 82, 'udp'));
    expect(ports.isTaken(claim('0.0.0.0', 80))).toBe(true);
    expect(ports.isTaken(claim('127.0.0.2', 80))).toBe(false);
    expect(ports.isTaken(claim('::1', 81))).toBe(true);
    expect(ports.isTaken(claim('0.0.0.0', 81))).toBe(false);
    expect(ports.isTaken(claim('0.0.0.0', 82))).toBe(false);
    expect(ports.isTaken(claim('10.0.0.1', 82, 'udp'))).toBe(true);
  });

  it('without a wish are the next ones in turn, free on both families', () => {
    const ports = table(claim('::', 101));
    const next = () => ports.candidates(web).next().value;
    expect([next(), next(), next(), next()]).toEqual([100, 102, 103, 100]);
  });

  it('come back when they are given back', () => {
    const mine = claim('0.0.0.0', 8080);
    const ports = table(mine);
    ports.delete(mine);
    expect([...ports.candidates({ ...web, hostPorts: exactly(8080) })]).toEqual([8080]);
  });

  it('that are all taken are told of as Docker does', () => {
    expect(portsTaken({ ...web, hostPorts: exactly(8080) }).message).toBe(
      'Bind for 0.0.0.0:8080 failed: port is already allocated',
    );
    expect(portsTaken({ ...web, hostIp: '::1', hostPorts: exactly(1) }).message).toContain('Bind for [::1]:1 failed');
    expect(portsTaken(web).message).toBe('all ports are allocated');
  });
});

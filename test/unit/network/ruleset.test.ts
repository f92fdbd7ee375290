import { describe, expect, it } from 'vitest';
import {
  addBridge,
  addPorts,
  type BridgeRules,
  type PortRule,
  removeBridge,
  removePorts,
  wholeTable,
} from '../../../src/network/firewall/ruleset.ts';

const bridge: BridgeRules = {
  name: 'br-1',
  subnets: ['10.0.0.0/24', 'fd00::/64'],
  internal: false,
  neighbours: true,
  masquerade: true,
};
const port: PortRule = { protocol: 'tcp', family: 4, hostPort: 8080, containerIp: '10.0.0.2', containerPort: 80 };

describe('rules of a network', () => {
  it('say where its packets go, and go as they came', () => {
    expect(addBridge('t', bridge).split('\n')).toEqual([
      'add chain inet t leaving_br-1',
      'add rule inet t leaving_br-1 oifname != "br-1" masquerade',
      'add rule inet t leaving_br-1 ct status dnat masquerade',
      'add element inet t bridges { "br-1" }',
      'add element inet t neighbours { "br-1" . "br-1" }',
      'add element inet t leaving4 { 10.0.0.0/24 : jump leaving_br-1 }',
      'add element inet t leaving6 { fd00::/64 : jump leaving_br-1 }',
      '',
    ]);
    expect(removeBridge('t', bridge)).toContain('delete chain inet t leaving_br-1');
  });

  it('follow what the network is to do', () => {
    const closed = addBridge('t', { ...bridge, internal: true, neighbours: false, masquerade: false });
    expect(closed).toContain('internal { "br-1" }');
    expect(closed).not.toContain('neighbours');
    expect(closed).not.toContain('oifname != ');
  });
});

describe('rules of ports', () => {
  it('are one element each, by address of the host or for all', () => {
    const ports: PortRule[] = [port, { ...port, hostIp: '127.0.0.1' }, { ...port, family: 6, containerIp: 'fd00::2' }];
    expect(addPorts('t', ports).trim().split('\n')).toEqual([
      'add element inet t publish4_any { tcp . 8080 : 10.0.0.2 . 80 }',
      'add element inet t publish4 { tcp . 127.0.0.1 . 8080 : 10.0.0.2 . 80 }',
      'add element inet t publish6_any { tcp . 8080 : fd00::2 . 80 }',
    ]);
    expect(removePorts('t', ports.slice(1, 2))).toBe('delete element inet t publish4 { tcp . 127.0.0.1 . 8080 }\n');
  });

  it('stand in the whole table from the start', () => {
    const whole = wholeTable('t', { bridges: [bridge], ports: [port] });
    expect(whole).toMatch(/^add table inet t\ndelete table inet t\ntable inet t \{/);
    expect(whole).toContain('elements = { tcp . 8080 : 10.0.0.2 . 80 }');
    expect(whole).toContain('elements = { 10.0.0.0/24 : jump leaving_br-1 }');
  });
});

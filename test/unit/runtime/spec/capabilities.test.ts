import { describe, expect, it } from 'vitest';
import {
  allCapabilities,
  capabilitiesOfMask,
  defaultCapabilities,
  resolveCapabilities,
} from '../../../../src/runtime/spec/capabilities.ts';

const every = new Set(allCapabilities);
const resolve = (add: string[], drop: string[], available: ReadonlySet<string> = every) =>
  new Set(resolveCapabilities({ add, drop, privileged: false, available }));

describe('capabilities of a container', () => {
  it('are the fourteen of Docker by default', () => {
    expect(resolve([], [])).toEqual(new Set(defaultCapabilities));
    expect(defaultCapabilities).toHaveLength(14);
  });

  it('take names with and without prefix, in any case', () => {
    expect(resolve(['net_admin', 'CAP_SYS_PTRACE'], ['Chown'])).toEqual(
      new Set([...defaultCapabilities.filter((name) => name !== 'CAP_CHOWN'), 'CAP_NET_ADMIN', 'CAP_SYS_PTRACE']),
    );
  });

  it('treat ALL as every capability, an explicit name winning over it', () => {
    expect(resolve(['ALL'], [])).toEqual(every);
    expect(resolve([], ['ALL'])).toEqual(new Set());
    expect(resolve(['NET_RAW'], ['ALL'])).toEqual(new Set(['CAP_NET_RAW']));
    expect(resolve(['all'], ['SYS_ADMIN']).has('CAP_SYS_ADMIN')).toBe(false);
  });

  it('leave out of defaults and ALL what the engine does not hold', () => {
    const available = new Set(['CAP_CHOWN', 'CAP_KILL']);
    expect(resolve([], [], available)).toEqual(available);
    expect(resolve(['ALL'], [], available)).toEqual(available);
  });

  it('refuse an explicit one that the engine does not hold', () => {
    const available = new Set(defaultCapabilities);
    expect(() => resolve(['SYS_RESOURCE'], [], available)).toThrow(expect.objectContaining({ kind: 'forbidden' }));
  });

  it('name the nearest for a typo', () => {
    expect(() => resolve(['NET_ADMN'], [])).toThrow(
      expect.objectContaining({
        kind: 'invalid',
        hint: 'did you mean CAP_NET_ADMIN?',
        message: 'unknown capability: "NET_ADMN"',
      }),
    );
    expect(() => resolve([], ['WHATEVER_THIS_IS'])).toThrow(expect.objectContaining({ kind: 'invalid' }));
  });

  it('are read from the mask of /proc/PID/status', () => {
    expect(capabilitiesOfMask('00000000a80425fb')).toEqual(new Set(defaultCapabilities));
    expect(capabilitiesOfMask('000001ffffffffff')).toEqual(every);
  });
});

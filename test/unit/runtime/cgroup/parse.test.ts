import { describe, expect, it } from 'vitest';
import { parseHostCpu, parseKeyed, parseNetDev } from '../../../../src/runtime/cgroup/parse.ts';

describe('kernel files', () => {
  it('reads keys with numbers, and no others', () => {
    expect(parseKeyed('a 1\nb max\nc\nd 2 3\n\n')).toEqual({ a: 1, d: 2 });
  });

  it('adds up what all CPUs have passed, up to softirq', () => {
    const stat = 'cpu  10 1 5 100 4 0 2 9 9 9\ncpu0 5 0 2 50 2 0 1 0 0 0\ncpu1 5 1 3 50 2 0 1 0 0 0\nintr 1 cpu2 3\n';
    expect(parseHostCpu(stat)).toEqual({ cpuTotal: 122e7, cpus: 2 });
  });

  it('reads counters of interfaces, glued to their names or not', () => {
    const text = [
      'Inter-|   Receive                                                |  Transmit',
      ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
      '    lo:   99       1    0    0    0     0          0         0       99       1    0    0    0     0       0          0',
      '  eth0:1234567 10 1 2 0 0 0 0 765 9 3 4 0 0 0 0',
      '',
    ].join('\n');
    expect(parseNetDev(text)).toEqual({
      eth0: {
        rxBytes: 1234567,
        rxPackets: 10,
        rxErrors: 1,
        rxDropped: 2,
        txBytes: 765,
        txPackets: 9,
        txErrors: 3,
        txDropped: 4,
      },
    });
  });
});

import type { BlockIoEntry, InterfaceCounters } from '../../oci/index.ts';

/** Lines of `name value`, as `memory.stat` and `cpu.stat`. Other lines are left out. Pure. */
export function parseKeyed(text: string): Readonly<Record<string, number>> {
  const fields: Record<string, number> = {};
  for (const line of text.split('\n')) {
    const [name = '', value = ''] = line.split(' ', 2);
    if (/^\d+$/.test(value)) fields[name] = Number(value);
  }
  return fields;
}

/** One number; undefined for `max` and for a limit that stands for none. Pure. */
export function parseLimit(text: string): number | undefined {
  const value = Number(text);
  // Cgroup v1 writes "no limit" as the highest number of pages.
  return text.trim() === 'max' || !Number.isFinite(value) || value >= 2 ** 62 ? undefined : value;
}

/** `8:0 Read 4096` a line, as cgroup v1 tells block input and output; the total has no device. Pure. */
export function parseBlkio(text: string): readonly BlockIoEntry[] {
  return text.split('\n').flatMap((line) => {
    const match = /^(\d+):(\d+) (\w+) (\d+)$/.exec(line);
    if (!match) return [];
    const [, major, minor, op = '', value] = match;
    return [{ major: Number(major), minor: Number(minor), op: op.toLowerCase(), value: Number(value) }];
  });
}

const IO_STAT = { bytes: { rbytes: 'read', wbytes: 'write' }, operations: { rios: 'read', wios: 'write' } } as const;

/** `8:0 rbytes=1 wbytes=2 rios=3 wios=4` a line, as cgroup v2's `io.stat`. Pure. */
export function parseIoStat(text: string, what: keyof typeof IO_STAT): readonly BlockIoEntry[] {
  const names: Readonly<Record<string, string>> = IO_STAT[what];
  return text.split('\n').flatMap((line) => {
    const [device = '', ...fields] = line.split(' ');
    const [major, minor] = device.split(':').map(Number);
    if (major === undefined || minor === undefined) return [];
    return fields.flatMap((field) => {
      const [key = '', value] = field.split('=');
      const op = names[key];
      return op ? [{ major, minor, op, value: Number(value) }] : [];
    });
  });
}

/** `/proc/PID/net/dev` without the loopback. Pure. @see proc(5) */
export function parseNetDev(text: string): Readonly<Record<string, InterfaceCounters>> {
  const interfaces: Record<string, InterfaceCounters> = {};
  for (const line of text.split('\n')) {
    const match = /^\s*([^:\s]+):\s*(.+)$/.exec(line);
    if (!match || match[1] === 'lo') continue;
    const numbers = match[2]!.trim().split(/\s+/).map(Number);
    const at = (index: number) => numbers[index] ?? 0;
    interfaces[match[1]!] = {
      rxBytes: at(0),
      rxPackets: at(1),
      rxErrors: at(2),
      rxDropped: at(3),
      txBytes: at(8),
      txPackets: at(9),
      txErrors: at(10),
      txDropped: at(11),
    };
  }
  return interfaces;
}

/** @see getconf CLK_TCK: the same on every architecture that Linux has in use */
const NS_PER_TICK = 1e7;

/** What `/proc/stat` tells of all CPUs together: user to softirq, as Docker adds them up. Pure. */
export function parseHostCpu(text: string): { readonly cpuTotal: number; readonly cpus: number } {
  const [, ...ticks] = /^cpu +(.*)$/m.exec(text)?.[0].split(/ +/) ?? [];
  const cpuTotal = ticks.slice(0, 7).reduce((sum, value) => sum + Number(value), 0) * NS_PER_TICK;
  return { cpuTotal, cpus: text.match(/^cpu\d+ /gm)?.length ?? 1 };
}

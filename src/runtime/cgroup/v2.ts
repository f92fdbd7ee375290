import { writeFileSync } from 'node:fs';
import { BerthError } from '../../errors/index.ts';
import { waitUntil } from '../../linux/index.ts';
import { readKernelFile } from './kernel-file.ts';
import { parseIoStat, parseKeyed, parseLimit } from './parse.ts';
import type { CgroupUsage, CgroupView } from './view.ts';

const NS_PER_US = 1000;
const freezeMs = 10_000;

/** A cgroup of the unified hierarchy. @see Linux Documentation/admin-guide/cgroup-v2.rst */
export class CgroupV2 implements CgroupView {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  usage(): CgroupUsage {
    const cpu = parseKeyed(this.#read('cpu.stat'));
    const limit = parseLimit(this.#read('memory.max') || 'max');
    const pids = parseLimit(this.#read('pids.max') || 'max');
    const io = this.#read('io.stat');
    return {
      cgroups: '2',
      cpu: {
        total: (cpu['usage_usec'] ?? 0) * NS_PER_US,
        user: (cpu['user_usec'] ?? 0) * NS_PER_US,
        kernel: (cpu['system_usec'] ?? 0) * NS_PER_US,
        periods: cpu['nr_periods'] ?? 0,
        throttledPeriods: cpu['nr_throttled'] ?? 0,
        throttled: (cpu['throttled_usec'] ?? 0) * NS_PER_US,
      },
      memory: {
        usage: Number(this.#read('memory.current')),
        ...(limit === undefined ? {} : { limit }),
        stats: parseKeyed(this.#read('memory.stat')),
      },
      pids: { current: Number(this.#read('pids.current')), ...(pids === undefined ? {} : { limit: pids }) },
      blockIo: { bytes: parseIoStat(io, 'bytes'), operations: parseIoStat(io, 'operations') },
    };
  }

  oomKills(): number {
    return parseKeyed(this.#read('memory.events'))['oom_kill'] ?? 0;
  }

  liftPidsLimit(): void {
    writeFileSync(`${this.#folder}/pids.max`, 'max');
  }

  async freeze(frozen: boolean): Promise<void> {
    const file = `${this.#folder}/cgroup.freeze`;
    writeFileSync(file, frozen ? '1' : '0');
    const reached = () => parseKeyed(this.#read('cgroup.events'))['frozen'] === (frozen ? 1 : 0);
    if (await waitUntil(reached, freezeMs)) return;
    writeFileSync(file, '0');
    throw new BerthError('internal', `the processes could not be ${frozen ? 'frozen' : 'thawed'}`);
  }

  #read(file: string): string {
    return readKernelFile(`${this.#folder}/${file}`);
  }
}

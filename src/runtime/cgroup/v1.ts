import { writeFileSync } from 'node:fs';
import { BerthError } from '../../errors/index.ts';
import { waitUntil } from '../../linux/index.ts';
import { readKernelFile } from './kernel-file.ts';
import { parseBlkio, parseKeyed, parseLimit } from './parse.ts';
import type { CgroupUsage, CgroupView } from './view.ts';

/** `cpuacct.stat` counts in these. @see getconf CLK_TCK */
const NS_PER_TICK = 1e7;
const freezeMs = 10_000;

/** A cgroup that is a folder in each controller's own hierarchy. @see Linux Documentation/admin-guide/cgroup-v1 */
export class CgroupV1 implements CgroupView {
  readonly #root: string;
  readonly #path: string;

  constructor(root: string, path: string) {
    this.#root = root;
    this.#path = path;
  }

  usage(): CgroupUsage {
    const memory = (name: string) => this.#read('memory', `memory.${name}`);
    const ticks = parseKeyed(this.#read('cpuacct', 'cpuacct.stat'));
    const throttling = parseKeyed(this.#read('cpu', 'cpu.stat'));
    const limit = parseLimit(memory('limit_in_bytes'));
    const pids = parseLimit(this.#read('pids', 'pids.max'));
    return {
      cgroups: '1',
      cpu: {
        total: Number(this.#read('cpuacct', 'cpuacct.usage')),
        user: (ticks['user'] ?? 0) * NS_PER_TICK,
        kernel: (ticks['system'] ?? 0) * NS_PER_TICK,
        perCpu: this.#read('cpuacct', 'cpuacct.usage_percpu').trim().split(' ').filter(Boolean).map(Number),
        periods: throttling['nr_periods'] ?? 0,
        throttledPeriods: throttling['nr_throttled'] ?? 0,
        throttled: throttling['throttled_time'] ?? 0,
      },
      memory: {
        usage: Number(memory('usage_in_bytes')),
        maxUsage: Number(memory('max_usage_in_bytes')),
        failures: Number(memory('failcnt')),
        ...(limit === undefined ? {} : { limit }),
        stats: parseKeyed(memory('stat')),
      },
      pids: {
        current: Number(this.#read('pids', 'pids.current')),
        ...(pids === undefined ? {} : { limit: pids }),
      },
      blockIo: { bytes: this.#blockIo('io_service_bytes'), operations: this.#blockIo('io_serviced') },
    };
  }

  oomKills(): number {
    return parseKeyed(this.#read('memory', 'memory.oom_control'))['oom_kill'] ?? 0;
  }

  liftPidsLimit(): void {
    writeFileSync(`${this.#root}/pids${this.#path}/pids.max`, 'max');
  }

  /** Thawing is asked for again when freezing takes too long: nothing may stay half frozen. */
  async freeze(frozen: boolean): Promise<void> {
    const state = frozen ? 'FROZEN' : 'THAWED';
    const file = `${this.#root}/freezer${this.#path}/freezer.state`;
    const reached = () => {
      // A process that forks meanwhile escapes a first attempt. @see cgroup-v1/freezer-subsystem.rst
      writeFileSync(file, state);
      return readKernelFile(file).trim() === state;
    };
    if (await waitUntil(reached, freezeMs)) return;
    writeFileSync(file, 'THAWED');
    throw new BerthError('internal', `the processes did not become ${state.toLowerCase()} within ${freezeMs / 1000} s`);
  }

  /** The scheduler's own counters where it has them, those of throttling elsewhere. */
  #blockIo(what: 'io_service_bytes' | 'io_serviced') {
    const files = [`blkio.bfq.${what}_recursive`, `blkio.${what}_recursive`, `blkio.throttle.${what}_recursive`];
    for (const file of files) {
      const entries = parseBlkio(this.#read('blkio', file));
      if (entries.length > 0) return entries;
    }
    return [];
  }

  #read(controller: string, file: string): string {
    return readKernelFile(`${this.#root}/${controller}${this.#path}/${file}`);
  }
}

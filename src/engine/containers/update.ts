import type { ContainerUpdated, HostConfigBody } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { ContainerLimits } from '../../oci/index.ts';
import { announce, type Container, type ContainersContext, save } from './container.ts';
import { integerOf, textOf } from './fields.ts';
import { checkPolicies } from './host-config.ts';
import { checkedLimits, EVERY_LIMIT } from './limits.ts';

/** What can be changed of a container that has been made. Nothing, 0 and an empty text leave a limit as it is. */
const NUMBERS = [
  'BlkioWeight',
  'CpuPeriod',
  'CpuQuota',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
  'CpuShares',
  'Memory',
  'MemoryReservation',
  'MemorySwap',
  'NanoCpus',
  'PidsLimit',
] as const;
const TEXTS = ['CpusetCpus', 'CpusetMems'] as const;

/**
 * Changes limits, of a container that runs in the kernel, too.
 * @throws BerthError `invalid`, `conflict` with limits that it has
 * @see moby container/container_unix.go, UpdateContainer
 */
export function updateContainer(
  context: ContainersContext,
  container: Container,
  body: HostConfigBody,
): Promise<ContainerUpdated> {
  return container.lock.run(async () => {
    const { status } = container.record.state;
    if (status === 'removing' || status === 'dead' || container.removed) {
      throw cannot(container, 'container is marked for removal and cannot be "update"');
    }
    checkPolicies(body);
    const { limits, hostConfig, warnings } = changed(context, container, body);
    if (container.run) await context.ports.runtime.update(container.id, container.run.process, limits);
    const { launch } = container.record;
    container.record = { ...container.record, hostConfig, launch: { ...launch, limits: startLimits(limits) } };
    await save(context, container);
    announce(context, container, 'update');
    return { Warnings: warnings };
  });
}

interface Changed {
  readonly limits: ContainerLimits;
  readonly hostConfig: HostConfigBody;
  readonly warnings: readonly string[];
}

function changed({ ports }: ContainersContext, container: Container, body: HostConfigBody): Changed {
  const before = container.record.hostConfig;
  const numbers = NUMBERS.filter((field) => integerOf(body, field) !== 0).map((field) => [field, body[field]]);
  const texts = TEXTS.filter((field) => textOf(body, field) !== '').map((field) => [field, body[field]]);
  const given: HostConfigBody = Object.fromEntries([...numbers, ...texts]);
  refuseConflicts(container, before, given);
  const merged = { ...before, ...given };
  const machine = ports.defaults.limits ?? EVERY_LIMIT;
  const { limits, warnings } = checkedLimits(merged, machine);
  // What was told when the container was made is not told again.
  const known = checkedLimits(before, machine).warnings;
  const hostConfig = { ...merged, MemorySwap: merged['MemorySwap'] || limits.memorySwapBytes || 0 };
  // A limit that is taken back has to be said to the kernel.
  const pids = integerOf(given, 'PidsLimit') < 0 ? { pids: -1 } : {};
  return {
    limits: { ...limits, ...pids },
    hostConfig,
    warnings: warnings.filter((warning) => !known.includes(warning)),
  };
}

/** The next start begins without limits: none has to be taken back. */
function startLimits({ pids, ...limits }: ContainerLimits): ContainerLimits {
  return { ...limits, ...(pids !== undefined && pids > 0 ? { pids } : {}) };
}

function refuseConflicts(container: Container, before: HostConfigBody, given: HostConfigBody): void {
  const had = (field: string) => integerOf(before, field) > 0;
  const gets = (field: string) => integerOf(given, field) > 0;
  const refuse = (what: string, why: string) =>
    cannot(container, `Conflicting options: ${what} cannot be updated as ${why} has already been set`);
  if (gets('NanoCpus') && had('CpuPeriod')) throw refuse('Nano CPUs', 'CPU Period');
  if (gets('NanoCpus') && had('CpuQuota')) throw refuse('Nano CPUs', 'CPU Quota');
  if (gets('CpuPeriod') && had('NanoCpus')) throw refuse('CPU Period', 'NanoCPUs');
  if (gets('CpuQuota') && had('NanoCpus')) throw refuse('CPU Quota', 'NanoCPUs');
  if (had('MemorySwap') && !given['MemorySwap'] && integerOf(given, 'Memory') > integerOf(before, 'MemorySwap')) {
    throw cannot(
      container,
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    );
  }
}

function cannot({ id }: Container, why: string): BerthError {
  return new BerthError('conflict', `Cannot update container ${id}: ${why}`);
}

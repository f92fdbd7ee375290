import { setTimeout as delay } from 'node:timers/promises';
import { type BerthError, isBerthError } from '../errors/index.ts';
import { type Capability, probeHost } from '../runtime/index.ts';
import { dataFolderOf, readConfig } from './config.ts';
import { type HostedEngine, hostEngine, type Seat, takeSeat } from './host.ts';
import { listens, waitForSocket } from './launch.ts';
import { probeRegistry } from './registries.ts';

export { type HostedEngine, hostEngine, type Seat } from './host.ts';

const SEAT_WAIT_MS = 15_000;
const SEAT_POLL_MS = 10;

/** What this machine can do for containers, with the data folder and the registries of the configuration. */
export async function probeMachine(env: Readonly<Record<string, string | undefined>>): Promise<readonly Capability[]> {
  const config = readConfig(env);
  const [host, registry] = await Promise.all([
    probeHost({ dataFolder: dataFolderOf(config), driver: config.storageDriver }),
    probeRegistry(),
  ]);
  return [...host, registry];
}

/**
 * The seat, for a command that hosts its own engine; undefined when another process's engine listens, which then serves.
 * Waits for one that is just coming or going.
 */
export async function claimSeat(env: Readonly<Record<string, string | undefined>>): Promise<Seat | undefined> {
  const config = { ...readConfig(env), idleSeconds: 0 };
  const deadline = performance.now() + SEAT_WAIT_MS;
  for (;;) {
    try {
      return takeSeat(config);
    } catch (error) {
      if (!isConflict(error) || performance.now() > deadline) throw error;
      if (await listens(config.socket)) return undefined;
      await delay(SEAT_POLL_MS);
    }
  }
}

function isConflict(error: unknown): error is BerthError {
  return isBerthError(error) && error.kind === 'conflict';
}

/**
 * Runs an engine in the foreground until it is told to leave, or, with BERTH_IDLE_SECONDS, until it was idle for long.
 * @returns exit code; 0 also when another engine serves this data folder already
 */
export async function runEngine(env: Readonly<Record<string, string | undefined>>): Promise<number> {
  const log = (line: string) => process.stderr.write(`${new Date().toISOString()} ${line}\n`);
  const config = readConfig({ BERTH_IDLE_SECONDS: '0', ...env });
  let seat: Seat;
  try {
    seat = takeSeat(config);
  } catch (error) {
    if (!isConflict(error)) throw error;
    log(error.message);
    return (await waitForSocket(config.socket)) ? 0 : 1;
  }
  const engine: HostedEngine = await hostEngine(seat, log);
  log(`engine ${process.pid} listens on ${engine.socket}`);
  const leave = () => void engine.close();
  process.on('SIGTERM', leave);
  process.on('SIGINT', leave);
  await engine.closed;
  log(`engine ${process.pid} left`);
  return 0;
}

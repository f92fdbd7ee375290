import { isBerthError } from '../errors/index.ts';
import { type EngineConfig, readConfig } from './config.ts';
import { enterNamespace, type HostedEngine, hostEngine } from './host.ts';
import { waitForSocket } from './launch.ts';

export { probeHost } from '../runtime/index.ts';
export { enterNamespace, type HostedEngine } from './host.ts';

/** Hosts an engine here for the life of one command; undefined when another process came first and its engine serves. */
export async function hostOrJoin(config: EngineConfig): Promise<HostedEngine | undefined> {
  try {
    return await hostEngine(config, () => {});
  } catch (error) {
    if (!isBerthError(error) || error.kind !== 'conflict' || !(await waitForSocket(config.socket))) throw error;
    return undefined;
  }
}

/**
 * Runs an engine in the foreground until it is told to leave, or, with BERTH_IDLE_SECONDS, until it was idle for long.
 * @returns exit code; 0 also when another engine serves this data folder already
 */
export async function runEngine(env: Readonly<Record<string, string | undefined>>): Promise<number> {
  const log = (line: string) => process.stderr.write(`${new Date().toISOString()} ${line}\n`);
  const config = readConfig({ BERTH_IDLE_SECONDS: '0', ...env });
  enterNamespace(config);
  let engine: HostedEngine;
  try {
    engine = await hostEngine(config, log);
  } catch (error) {
    if (!isBerthError(error) || error.kind !== 'conflict') throw error;
    log(error.message);
    return (await waitForSocket(config.socket)) ? 0 : 1;
  }
  log(`engine ${process.pid} listens on ${engine.socket}`);
  const leave = () => void engine.close();
  process.on('SIGTERM', leave);
  process.on('SIGINT', leave);
  await engine.closed;
  log(`engine ${process.pid} left`);
  return 0;
}

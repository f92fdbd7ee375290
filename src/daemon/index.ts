import { readConfig } from './config.ts';
import { hostEngine } from './host.ts';

export { type Capability, probeHost } from '../runtime/index.ts';
export { type EngineConfig, readConfig } from './config.ts';
export { type HostedEngine, hostEngine } from './host.ts';

/** Runs an engine in the foreground until it is idle or told to leave. */
export async function runEngine(
  env: Readonly<Record<string, string | undefined>>,
  log: (line: string) => void,
  options: { readonly idleSeconds?: number } = {},
): Promise<void> {
  const config = readConfig(env);
  const engine = await hostEngine({ ...config, ...options }, log);
  log(`engine listens on ${engine.socket}`);
  const leave = () => void engine.close();
  process.once('SIGTERM', leave);
  process.once('SIGINT', leave);
  await engine.closed;
  process.removeListener('SIGTERM', leave);
  process.removeListener('SIGINT', leave);
  log('engine left');
}

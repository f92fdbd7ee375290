import { type EngineHosts, runCli } from './cli/index.ts';
import type { HostedEngine } from './daemon/index.ts';

/**
 * The program. Its two halves meet only here and over the API: the engine's code is a bundle of its own, loaded by the
 * process that hosts one.
 */
let hosted: HostedEngine | undefined;
const isDaemonless = process.env['BERTH_DAEMONLESS'] === '1';
/** A process that may host an engine takes its seat, which moves it to a namespace, before it does anything else. */
const seat = isDaemonless ? import('./daemon/index.ts').then(({ claimSeat }) => claimSeat(process.env)) : undefined;

const hosts: EngineHosts = {
  async ensureEngine() {
    const { readConfig } = await import('./daemon/config.ts');
    const config = readConfig(process.env);
    if (isDaemonless) {
      const [{ claimSeat, hostEngine }, early] = await Promise.all([import('./daemon/index.ts'), seat]);
      // The engine that was there when this command began may have left with its own command since.
      const taken = early ?? (await claimSeat(process.env));
      if (taken) hosted ??= await hostEngine(taken, () => {});
    } else {
      const { ENGINE_FLAGS, launchEngine } = await import('./daemon/launch.ts');
      await launchEngine({
        command: [process.execPath, ...ENGINE_FLAGS, process.argv[1]!, 'engine'],
        socket: config.socket,
        runRoot: config.runRoot,
        env: { ...process.env, BERTH_IDLE_SECONDS: String(config.idleSeconds) },
      });
    }
    return `unix://${config.socket}`;
  },
  async runEngine() {
    const { runEngine } = await import('./daemon/index.ts');
    return await runEngine(process.env);
  },
  async doctor() {
    const { probeMachine } = await import('./daemon/index.ts');
    return await probeMachine(process.env);
  },
};

async function start(): Promise<never> {
  // Whether it failed matters only to a command that then needs an engine.
  await seat?.catch(() => {});
  return await runCli(hosts, async () => {
    await hosted?.close({ drain: true });
  });
}

void start();

import { type EngineHosts, runCli } from './cli/index.ts';
import { launchEngine } from './daemon/launch.ts';
import type { HostedEngine } from './daemon/index.ts';

/**
 * The program. Its two halves meet only here and over the API: the engine's code is a bundle of its own, loaded by the
 * process that hosts one.
 */
let hosted: HostedEngine | undefined;

const hosts: EngineHosts = {
  async ensureEngine() {
    const { readConfig } = await import('./daemon/config.ts');
    const config = readConfig(process.env);
    if (process.env['BERTH_DAEMONLESS'] === '1') {
      const { hostOrJoin } = await import('./daemon/index.ts');
      hosted ??= await hostOrJoin({ ...config, idleSeconds: 0 });
    } else {
      await launchEngine({
        command: [process.execPath, process.argv[1]!, 'engine'],
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
    const [{ probeHost }, { readConfig }] = await Promise.all([import('./daemon/index.ts'), import('./daemon/config.ts')]);
    return await probeHost({ dataFolder: readConfig(process.env).root });
  },
};

void runCli(hosts, async () => {
  await hosted?.close({ drain: true });
});

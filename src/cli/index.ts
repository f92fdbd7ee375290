export type {
  Capability,
  CliEnvironment,
  EngineHosts,
  InputStream,
  OutputStream,
  SignalSource,
} from './environment.ts';
export { main } from './main.ts';
export { runCli } from './process-environment.ts';

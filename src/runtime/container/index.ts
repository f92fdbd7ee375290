export { type HostFacts, hostFacts } from '../host/facts.ts';
export { type Capability, probeHost } from '../host/probe.ts';
export { enterEngineNamespace } from './enter.ts';
export { type ContainerExit, type ExecRequest, openRuntime, Runtime, type RuntimeOptions } from './runtime.ts';

export { type HostFacts, hostFacts, hostLimits } from '../host/facts.ts';
export { type Capability, probeHost } from '../host/probe.ts';
export { enterEngineNamespace } from './enter.ts';
export { type ContainerExit, type ExecRequest, openRuntime, Runtime, type RuntimeOptions } from './runtime.ts';

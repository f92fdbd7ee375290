export type { AddressPool, SubnetConfig } from './address/pool.ts';
export type { SubnetRequest } from './address/subnets.ts';
export type { Names } from './dns/container-names.ts';
export type { Upstream } from './dns/upstream.ts';
export { type BridgeNetwork, NetworkHost, type NetworkHostOptions, openNetworkHost } from './host.ts';
export type { EndpointPlan, Gateways, LinkPlan, Sandbox } from './namespace/sandbox.ts';
export type { LinkStats } from './netlink/links.ts';
export type { PortRequest, Protocol } from './ports/plan.ts';
export type { Publication, PublishedPort, PublishTarget } from './ports/publisher.ts';

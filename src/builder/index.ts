export { type BuildOptions, type BuildResult, build } from './build.ts';
export { gitAuthorization, type Secrets, webAuthorization } from './credentials.ts';
export type { BuildEvent, VertexInfo } from './events.ts';
export { type BuildGraph, type Entitlement, entitlements, type Node, type NodeId, type Op } from './plan/graph.ts';
export type { BuildPlan, Planned, PlannedStage, PlannedStep, PlanOptions } from './plan/options.ts';
export { planBuild } from './plan/stages.ts';
export type * from './ports.ts';
export type { BuildRequest } from './request.ts';
export { createSolver, type Solver } from './solve/solver.ts';

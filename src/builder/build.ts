import { createHash } from 'node:crypto';
import { type Diagnostic, hasErrors, plainStyle, printDiagnostic, type SourceText } from '../diagnostics/index.ts';
import { BerthError, type ErrorKind, isBerthError, toBerthError } from '../errors/index.ts';
import { familiarName, type ImageConfig, type ImageId, type Platform, parseReference } from '../oci/index.ts';
import { isBuiltInFrontEnd, parseDockerfile } from '../parser/index.ts';
import type { Dockerfile } from '../parser/ir.ts';
import { checkBuild } from './check.ts';
import type { BuildEvent, VertexInfo } from './events.ts';
import { imageConfig } from './export/image.ts';
import { BuildFailure } from './findings.ts';
import { openContext } from './ops/source-local.ts';
import { unallowed } from './plan/entitlements.ts';
import { reachable } from './plan/graph.ts';
import type { BuildPlan, PlanOptions } from './plan/options.ts';
import { planBuild } from './plan/stages.ts';
import type { BaseImage, BuilderPorts } from './ports.ts';
import type { BuildRequest } from './request.ts';
import { GraphRun } from './solve/graph-run.ts';
import { createSolver, type Solver } from './solve/solver.ts';

export interface BuildOptions {
  readonly emit: (event: BuildEvent) => void;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Steps that run at once, when no solver is given. */
  readonly concurrency?: number;
  /** The engine's own, so that builds at the same time share their equal steps. */
  readonly solver?: Solver;
}

export interface BuildResult {
  readonly image: ImageId;
  readonly config: ImageConfig;
  readonly names: readonly string[];
}

/**
 * Builds an image from a Dockerfile. Layers are committed before their records, records before the image, names last.
 * @throws BerthError `invalid` for a mistake in the Dockerfile (all of them were emitted as `diagnostic` events),
 * `not-found` for a base image or a file, `unsupported` for what is not there yet, `cancelled`
 */
export async function build(request: BuildRequest, ports: BuilderPorts, options: BuildOptions): Promise<BuildResult> {
  refuseFrontEnd(request);
  const parsed = parseDockerfile(request.dockerfile.text, { file: request.dockerfile.name });
  const { value: dockerfile, source } = parsed;
  const diagnostics = parsed.diagnostics.filter(({ code }) => !isOverruled(code, request));
  const show = (found: readonly Diagnostic[]) => emitDiagnostics(found, source, options);
  show(diagnostics);
  stopAtErrors(diagnostics);
  try {
    options.signal.throwIfAborted();
    const { plan, images } = await planWithImages(dockerfile, { request, ports, options, show });
    const findings = checkBuild(dockerfile, request, images);
    show(findings);
    stopAtErrors(findings);
    const denied = unallowed(plan, request.allow ?? []);
    show(denied);
    stopAtErrors(denied);
    const config = await runPlan(plan, request, ports, options);
    options.signal.throwIfAborted();
    const image = await ports.images.put(config, request.names);
    options.emit({ type: 'exported', at: options.now(), image, names: request.names });
    return { image, config, names: request.names };
  } catch (error) {
    if (options.signal.aborted) throw new BerthError('cancelled', 'the build was cancelled', { cause: error });
    if (error instanceof BuildFailure) show([error.diagnostic]);
    throw toBerthError(error);
  }
}

/** The build argument BUILDKIT_SYNTAX names the front end, whatever the file says. */
function isOverruled(code: string, { buildArgs }: BuildRequest): boolean {
  return code === 'dockerfile/unsupported-syntax' && buildArgs['BUILDKIT_SYNTAX'] !== undefined;
}

/** @throws BerthError `unsupported` for another front end than the built-in one */
function refuseFrontEnd({ buildArgs }: BuildRequest): void {
  const { BUILDKIT_SYNTAX: syntax } = buildArgs;
  if (syntax === undefined || isBuiltInFrontEnd(syntax)) return;
  throw new BerthError(
    'unsupported',
    `the front end ${syntax} of the build argument BUILDKIT_SYNTAX is not supported`,
    {
      hint: 'Berth reads the docker/dockerfile language itself: leave the argument out',
    },
  );
}

async function runPlan(
  plan: BuildPlan,
  request: BuildRequest,
  ports: BuilderPorts,
  options: BuildOptions,
): Promise<ImageConfig> {
  const { emit, now, signal, solver = createSolver(options.concurrency) } = options;
  emit({ type: 'started', at: now(), vertices: verticesOf(plan) });
  const run = new GraphRun({
    plan,
    ports,
    solver,
    emit,
    now,
    noCache: request.noCache,
    env: {
      context: openContext(request.context),
      proxyEnvironment: plan.proxyEnvironment,
      epoch: plan.sourceDateEpoch,
      secrets: request.secrets ?? new Map(),
      agents: request.agents ?? new Map(),
    },
  });
  const results = await run.make(plan.target.head, signal);
  return imageConfig(plan.target, results, plan.sourceDateEpoch);
}

/** Plans, looks up the images that the plan asks for, and plans again. */
async function planWithImages(
  dockerfile: Dockerfile,
  { request, ports, options, show }: PlanningInput,
): Promise<{ readonly plan: BuildPlan; readonly images: ReadonlyMap<string, BaseImage | null> }> {
  const images = new Map<string, BaseImage | null>();
  const missing = new Map<string, BerthError>();
  let imageNames: readonly string[] = [];
  for (;;) {
    const planned = planBuild(dockerfile, { ...planOptions(request), images, imageNames, missing });
    if (planned.value || planned.needs.length === 0) {
      show(planned.diagnostics);
      stopAtErrors(planned.diagnostics);
      return { plan: planned.value!, images };
    }
    const found = await Promise.all(
      planned.needs.map((name) =>
        findImage(name, ports, { ...options, platform: request.platform }).catch((error: unknown) => {
          missing.set(name, reasonOf(error));
          return undefined;
        }),
      ),
    );
    for (const [index, name] of planned.needs.entries()) images.set(name, found[index] ?? null);
    if (imageNames.length === 0 && found.includes(undefined)) imageNames = await ports.images.names();
  }
}

interface PlanningInput {
  readonly request: BuildRequest;
  readonly ports: BuilderPorts;
  readonly options: BuildOptions;
  readonly show: (diagnostics: readonly Diagnostic[]) => void;
}

function findImage(
  name: string,
  ports: BuilderPorts,
  { emit, now, signal, platform }: BuildOptions & { readonly platform: Platform },
): Promise<BaseImage | undefined> {
  const image = familiarName(parseReference(name));
  const onProgress = (text: string) => emit({ type: 'pulling', at: now(), image, text });
  return ports.images.find(name, { platform, signal, onProgress });
}

/** Why there is no such image is a finding at its FROM; everything else ends the build. */
function reasonOf(error: unknown): BerthError {
  if (isBerthError(error) && MISSING.includes(error.kind)) return error;
  throw error;
}

const MISSING: readonly ErrorKind[] = ['not-found', 'unavailable', 'unauthorized', 'forbidden'];

function planOptions(request: BuildRequest): Omit<PlanOptions, 'images'> {
  const { buildArgs, labels, platform, network, target, sourceDateEpoch } = request;
  const place = `${request.context?.root ?? ''}\0${request.dockerfile.name}`;
  return {
    buildArgs,
    labels,
    platform,
    network,
    slotPrefix: createHash('sha256').update(place).digest('hex').slice(0, 16),
    ...(target === undefined ? {} : { target }),
    ...(sourceDateEpoch === undefined ? {} : { sourceDateEpoch }),
  };
}

function verticesOf({ graph, target }: BuildPlan): VertexInfo[] {
  return reachable(graph, [target.head]).map((id) => {
    const { name, span } = graph.display.get(id)!;
    const inputs = graph.nodes.get(id)!.inputs;
    return { id, digest: id, name, inputs, ...(span ? { line: span.start.line } : {}) };
  });
}

function emitDiagnostics(diagnostics: readonly Diagnostic[], source: SourceText, { emit, now }: BuildOptions): void {
  for (const diagnostic of diagnostics) {
    emit({ type: 'diagnostic', at: now(), diagnostic, frame: printDiagnostic(diagnostic, source, plainStyle) });
  }
}

function stopAtErrors(diagnostics: readonly Diagnostic[]): void {
  if (!hasErrors(diagnostics)) return;
  const first = diagnostics.find((diagnostic) => diagnostic.severity === 'error')!;
  const kinds = {
    'build/base-not-found': 'not-found',
    'build/not-allowed': 'forbidden',
    'dockerfile/unsupported-syntax': 'unsupported',
  } as const;
  const kind = kinds[first.code as keyof typeof kinds] ?? 'invalid';
  const { file, start } = first.span;
  throw new BerthError(
    kind,
    `${file}:${start.line}: ${first.message}`,
    first.hint === undefined ? {} : { hint: first.hint },
  );
}

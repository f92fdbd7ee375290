import { randomUUID } from 'node:crypto';
import { isBerthError } from '../../errors/index.ts';
import { type ChainId, canonicalJson, sha256 } from '../../oci/index.ts';
import { isPrivate } from '../credentials.ts';
import type { BuildEvent } from '../events.ts';
import { checkSources } from '../ops/copy.ts';
import { type Fetched, fetchRemote } from '../ops/fetch.ts';
import { sourceImage } from '../ops/source-image.ts';
import { contentInputs, fetchedNodes, readsContext, runStep, sourceNodes } from '../ops/step.ts';
import type { StepEnv } from '../ops/step-env.ts';
import { type Display, type Node, type NodeId, type RemoteOp, reachable, type StepOp } from '../plan/graph.ts';
import type { BuildPlan } from '../plan/options.ts';
import type { BuilderPorts, Layer, StepKey } from '../ports.ts';
import { probe } from './cache-probe.ts';
import { failureOf } from './failure.ts';
import type { Flight } from './flight.ts';
import { isoTime } from './iso-time.ts';
import { definitionInputs, type KeyInputs, stepKey } from './key.ts';
import { explainMiss } from './miss.ts';
import { Progress } from './progress.ts';
import type { Solver } from './solver.ts';

/** What a node gives to those that build on it. */
export interface NodeResult {
  readonly chain: ChainId | null;
  /** Absent for sources. */
  readonly made?: Made;
  /** What keys know a fetched source by. */
  readonly identity?: string;
}

export interface Made {
  readonly layer: Layer;
  /** When the layer was made, in ISO form. */
  readonly createdAt: string;
  readonly cached: boolean;
  /** Resolves when its records are durable. */
  readonly written: Promise<unknown>;
}

export interface GraphRunOptions {
  readonly plan: BuildPlan;
  readonly ports: BuilderPorts;
  readonly env: Omit<StepEnv, 'chainOf' | 'ports'>;
  readonly solver: Solver;
  readonly noCache: boolean;
  readonly now: () => number;
  readonly emit: (event: BuildEvent) => void;
}

/** Makes the nodes of one plan, each once, those that do not wait for each other together. */
export class GraphRun {
  readonly #options: GraphRunOptions;
  readonly #env: StepEnv;
  readonly #results = new Map<NodeId, Promise<NodeResult>>();
  readonly #chains = new Map<NodeId, ChainId | null>();
  readonly #identities = new Map<NodeId, string>();
  readonly #abort = new AbortController();
  /** For each COPY from the context: are its sources there? */
  readonly #checks = new Map<NodeId, Promise<void>>();
  #sourcesAreThere: Promise<unknown> = Promise.resolve();

  constructor(options: GraphRunOptions) {
    this.#options = options;
    this.#env = { ...options.env, ports: options.ports, chainOf: (node) => this.#chains.get(node) ?? null };
  }

  /**
   * Makes a node and all that it needs. When one fails, the others are given up, and their roots are gone when this throws.
   * @throws BuildFailure, or the signal's reason
   */
  async make(head: NodeId | null, signal: AbortSignal): Promise<ReadonlyMap<NodeId, NodeResult>> {
    signal.throwIfAborted();
    const abort = () => this.#abort.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      this.#checkSources(head);
      if (head !== null) await this.#result(head);
      const entries = await Promise.all([...this.#results].map(async ([id, result]) => [id, await result] as const));
      await Promise.all(entries.map(([, { made }]) => made?.written));
      return new Map(entries);
    } catch (error) {
      this.#abort.abort(error);
      const results = await Promise.allSettled(this.#results.values());
      await Promise.allSettled(
        results.map((result) => (result.status === 'fulfilled' ? result.value.made?.written : undefined)),
      );
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** A missing file is told before any command has run: the COPY that names it fails, and what waits here with it. */
  #checkSources(head: NodeId | null): void {
    const { graph } = this.#options.plan;
    for (const id of reachable(graph, [head])) {
      const node = graph.nodes.get(id)!;
      if (node.kind === 'copy' && readsContext(node)) this.#checks.set(id, checkSources(this.#env, node));
    }
    const checks = [...this.#checks].map(([id, check]) => check.catch(() => this.#result(id)));
    this.#sourcesAreThere = Promise.all(checks);
    this.#sourcesAreThere.catch(() => {});
  }

  #result(id: NodeId): Promise<NodeResult> {
    const known = this.#results.get(id);
    if (known) return known;
    const result = this.#make(id);
    this.#results.set(id, result);
    result.then(
      ({ chain, identity }) => {
        this.#chains.set(id, chain);
        if (identity !== undefined) this.#identities.set(id, identity);
      },
      // Everything in flight stops at the first failure, not only when its user gets to it.
      (error) => this.#abort.abort(error),
    );
    return result;
  }

  async #make(id: NodeId): Promise<NodeResult> {
    const node = this.#options.plan.graph.nodes.get(id)!;
    const display = this.#options.plan.graph.display.get(id)!;
    const { signal } = this.#abort;
    const progress = new Progress(id, this.#options);
    try {
      if (node.kind === 'source-local') {
        progress.start();
        progress.finish();
        return { chain: null };
      }
      if (node.kind === 'source-image') {
        progress.start();
        const chain = await sourceImage(this.#options.ports, node);
        progress.finish();
        return { chain };
      }
      if (node.kind === 'source-http' || node.kind === 'source-git') return await this.#fetch(node, display, progress);
      const made = await this.#step(id, node, display, progress);
      if (made.cached) progress.cached();
      else progress.finish();
      return { chain: made.layer.chainId, made };
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = failureOf(error, display, progress.lastLines());
      progress.fail(isBerthError(failure) ? failure.message : String(failure));
      throw failure;
    }
  }

  async #fetch(node: Node & RemoteOp, { slot }: Display, progress: Progress): Promise<NodeResult> {
    const { ports, noCache, now, solver } = this.#options;
    progress.start();
    const { inputs: _inputs, ...op } = node;
    const work = ({ controller: { signal } }: Flight<Fetched>) =>
      solver.withPlace(
        () => fetchRemote(op, { ports, secrets: this.#env.secrets, slot, noCache, now, signal }),
        signal,
      );
    // What was fetched with a key of its own is not for a build that has none.
    const alone = isPrivate(this.#env.secrets) ? ` ${randomUUID()}` : '';
    const key = `${sha256(canonicalJson(op))}${noCache ? ' anew' : ''}${alone}`;
    const { chain, identity, cached } = await solver.share(key, work, {
      signal: this.#abort.signal,
      listener: progress.listener,
    });
    if (cached) progress.cached();
    else progress.finish();
    return { chain, identity };
  }

  async #step(id: NodeId, node: Node & StepOp, display: Display, progress: Progress): Promise<Made> {
    const { signal } = this.#abort;
    const { plan, noCache, solver } = this.#options;
    const fromNodes = sourceNodes(node);
    const isLinked = node.kind === 'copy' && node.link;
    const results = node.inputs.map((input) => ({ input, result: this.#result(input) }));
    // What is made on nothing does not wait for what it is put on.
    const isNeeded = (input: NodeId) => !isLinked || input !== node.parent || fromNodes.includes(input);
    const parents = Promise.all(results.filter(({ input }) => isNeeded(input)).map(({ result }) => result));
    // Files of the context are read while commands run.
    const early = readsContext(node) && fromNodes.length === 0 ? contentInputs(this.#env, node, signal) : undefined;
    const [, earlyContent] = await Promise.all([parents, early, this.#checks.get(id) ?? this.#sourcesAreThere]);
    progress.start();
    const parent = isLinked || node.parent === null ? null : (this.#chains.get(node.parent) ?? null);
    const fetched = fetchedNodes(node).map((id, index) => [`remote ${index}`, this.#identities.get(id) ?? '']);
    const definition = { ...definitionInputs(node, parent, plan.sourceDateEpoch), ...Object.fromEntries(fetched) };
    const content = earlyContent ?? (readsContext(node) ? await contentInputs(this.#env, node, signal) : undefined);
    const bySource = Object.fromEntries(
      fromNodes.map((id, index) => [`source ${index}`, this.#chains.get(id) ?? 'scratch']),
    );
    const step: Step = {
      node,
      parent,
      slot: display.slot,
      key: stepKey({ ...definition, ...(content ?? bySource) }),
      contentKey: content || fromNodes.length === 0 ? undefined : (read) => this.#contentKey(node, definition, read),
    };
    const flightKey = `${step.key.digest}${noCache ? ' anew' : ''}`;
    const caller = { signal, listener: progress.listener };
    const made = await solver.share<Made>(flightKey, (flight) => this.#look(step, flight), caller);
    if (!isLinked || node.parent === null) return made;
    const { chain: below } = await this.#result(node.parent);
    return below === null ? made : this.#onParent(made, below, step);
  }

  /** The record keeps the layer from being collected while only this build needs it. */
  async #onParent(made: Made, below: ChainId, { slot }: Step): Promise<Made> {
    const { ports } = this.#options;
    const layer = await ports.snapshots.restack(made.layer.chainId, below);
    const key = stepKey({ kind: 'restack', layer: made.layer.chainId, parent: below });
    const recorded = ports.records.put({ key, slot: `${slot}/on-parent`, layer, createdAt: made.createdAt });
    recorded.catch(() => {});
    return { ...made, layer, written: Promise.all([made.written, recorded]) };
  }

  async #contentKey(node: StepOp, definition: KeyInputs, signal: AbortSignal): Promise<StepKey> {
    return stepKey({ ...definition, ...(await contentInputs(this.#env, node, signal)) });
  }

  /** Finds the step's layer in the cache, or makes it. */
  async #look(step: Step, flight: Flight<Made>): Promise<Made> {
    const { ports, noCache, solver } = this.#options;
    const { signal } = flight.controller;
    const hit = noCache ? undefined : await probe(ports, step.key);
    if (hit) return { layer: hit.layer, createdAt: hit.createdAt, cached: true, written: Promise.resolve() };
    const contentKey = await step.contentKey?.(signal);
    const sameContent = contentKey && !noCache ? await probe(ports, contentKey) : undefined;
    if (sameContent) {
      const written = this.#record(flight, [{ ...sameContent, key: step.key, slot: sourceSlot(step) }]);
      return { layer: sameContent.layer, createdAt: sameContent.createdAt, cached: true, written };
    }
    const told = contentKey ?? step.key;
    flight.missed(noCache ? 'the cache is not used' : explainMiss(told, await ports.records.latest(step.slot)));
    return solver.withPlace(() => this.#execute(step, contentKey, flight), signal);
  }

  async #execute(step: Step, contentKey: StepKey | undefined, flight: Flight<Made>): Promise<Made> {
    const { ports, plan, now } = this.#options;
    const { signal } = flight.controller;
    const epoch = plan.sourceDateEpoch;
    const root = await ports.snapshots.prepare(`build-${randomUUID()}`, step.parent);
    let layer: Layer;
    try {
      signal.throwIfAborted();
      await runStep(this.#env, step.node, root, { signal, onOutput: (stream, chunk) => flight.output(stream, chunk) });
      signal.throwIfAborted();
      layer = await ports.snapshots.commit(root, epoch === undefined ? {} : { clampMtime: epoch });
    } catch (error) {
      await ports.snapshots.discard(root);
      throw error;
    }
    const createdAt = isoTime(epoch === undefined ? now() : epoch * 1000);
    const record = { layer, createdAt, key: contentKey ?? step.key, slot: step.slot };
    const records = contentKey ? [record, { ...record, key: step.key, slot: sourceSlot(step) }] : [record];
    return { layer, createdAt, cached: false, written: this.#record(flight, records) };
  }

  /** The layer is committed: the next step may begin while the records are written. */
  #record(flight: Flight<Made>, records: readonly Parameters<BuilderPorts['records']['put']>[0][]): Promise<unknown> {
    const written = Promise.all(records.map((record) => this.#options.ports.records.put(record)));
    written.catch(() => {});
    flight.held.push(written);
    return written;
  }
}

interface Step {
  readonly node: StepOp;
  readonly parent: ChainId | null;
  readonly slot: string;
  /** Known without reading other stages' files. */
  readonly key: StepKey;
  /** By the content of other stages' files: tried when the first key misses, so that nothing is mounted for nothing. */
  readonly contentKey: ((signal: AbortSignal) => Promise<StepKey>) | undefined;
}

/** Keeps the records by source apart, so that misses are explained by content. */
function sourceSlot({ slot }: Step): string {
  return `${slot}/by-source`;
}

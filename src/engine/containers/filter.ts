import { FILTER_KEYS, type Filters } from '../../api/contract/index.ts';
import { BerthError, toBerthError } from '../../errors/index.ts';
import type { DiffId } from '../../oci/index.ts';
import type { Container, ContainersContext } from './container.ts';
import { networkOf } from './container-network.ts';
import { isActive } from './state.ts';

type Accepts = (container: Container) => boolean;
type Rule = (values: readonly string[], context: ContainersContext) => Accepts | Promise<Accepts>;

const STATUSES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];
const HEALTH = ['none', 'starting', 'healthy', 'unhealthy'];

/** What each filter key of `ps` means. Values of one key are alternatives, but for labels. */
const RULES: Readonly<Record<string, Rule>> = {
  id: (values) => matching(values, ({ id }) => [id]),
  name: (values) => matching(values, ({ record }) => [record.name, `/${record.name}`]),
  label: (values) => (container) => values.every((value) => hasLabel(container, value)),
  status: (values) => {
    checkValues('status', values, STATUSES);
    return ({ record }) => values.includes(record.state.status);
  },
  health: (values) => {
    checkValues('health', values, HEALTH);
    return () => values.includes('none');
  },
  exited: (values) => {
    const codes = values.map((value) => integer('exited', value));
    return ({ record: { state } }) => !isActive(state) && state.status !== 'created' && codes.includes(state.exitCode);
  },
  'is-task': (values) => {
    checkValues('is-task', values, ['true', 'false', '1', '0']);
    return () => values.some((value) => value === 'false' || value === '0');
  },
  isolation: (values) => () => values.includes('default') || values.includes(''),
  network: (values) => (container) => {
    const { mode, endpoints } = networkOf(container);
    const names = endpoints.flatMap(({ network, networkName }) => [network, networkName]);
    return values.some((value) => value === mode.kind || names.includes(value));
  },
  volume:
    (values) =>
    ({ record }) =>
      record.mounts.some(({ Source, Destination }) => values.includes(Source) || values.includes(Destination)),
  expose: (values) => {
    const ports = new Set(values.flatMap(portRange));
    return ({ record }) => Object.keys(record.config.ExposedPorts ?? {}).some((port) => ports.has(port));
  },
  publish: (values) => {
    const ports = new Set(values.flatMap(portRange));
    return (container) =>
      networkOf(container).published.some(({ hostPort, protocol }) => ports.has(`${hostPort}/${protocol}`));
  },
  before: (values, { table }) => {
    const limits = values.map((ref) => table.get(ref).record.createdAt);
    return ({ record }) => limits.every((limit) => record.createdAt < limit);
  },
  since: (values, { table }) => {
    const limits = values.map((ref) => table.get(ref).record.createdAt);
    return ({ record }) => limits.every((limit) => record.createdAt > limit);
  },
  ancestor: descendsFrom,
};

/** @throws BerthError `invalid` on an unknown key or value, `not-found` for `before` and `since` */
export async function containerFilter(context: ContainersContext, filters: Filters): Promise<Accepts> {
  const rules: Accepts[] = [];
  for (const [key, values] of filters) {
    const rule = RULES[key];
    if (!rule || !(FILTER_KEYS.containers as readonly string[]).includes(key)) {
      throw new BerthError('invalid', `invalid filter '${key}'`);
    }
    if (values.length > 0) rules.push(await rule(values, context));
  }
  return (container) => rules.every((accepts) => accepts(container));
}

/** Values are regular expressions that match anywhere; what is none is looked for as it stands. */
function matching(values: readonly string[], texts: (container: Container) => readonly string[]): Accepts {
  const patterns = values.map((value) => {
    try {
      return new RegExp(value);
    } catch {
      return { test: (text: string) => text.includes(value) };
    }
  });
  return (container) => texts(container).some((text) => patterns.some((pattern) => pattern.test(text)));
}

function hasLabel({ record }: Container, wanted: string): boolean {
  const labels = record.config.Labels ?? {};
  const equals = wanted.indexOf('=');
  return equals < 0 ? Object.hasOwn(labels, wanted) : labels[wanted.slice(0, equals)] === wanted.slice(equals + 1);
}

/** Containers of an image, or of one that was built on it: those whose layers begin with its layers. */
async function descendsFrom(values: readonly string[], context: ContainersContext): Promise<Accepts> {
  const ancestors = (await Promise.all(values.map((value) => imageOrNone(context, value)))).filter((image) => !!image);
  const layersOf = new Map<string, readonly DiffId[]>();
  const { images } = context.ports;
  for (const { record } of context.table.values()) {
    if (!layersOf.has(record.image)) {
      layersOf.set(record.image, (await images.get(record.image))?.config.rootfs.diff_ids ?? []);
    }
  }
  return ({ record }) =>
    ancestors.some(({ id, config }) => {
      const below = config.rootfs.diff_ids;
      const own = layersOf.get(record.image) ?? [];
      return id === record.image || (below.length > 0 && below.every((layer, index) => own[index] === layer));
    });
}

async function imageOrNone(context: ContainersContext, ref: string) {
  try {
    return await context.resolveImage(ref);
  } catch (error) {
    // Nothing descends from an image that is not there.
    if (toBerthError(error).kind === 'not-found') return undefined;
    throw error;
  }
}

function checkValues(key: string, values: readonly string[], allowed: readonly string[]): void {
  const wrong = values.find((value) => !allowed.includes(value));
  if (wrong === undefined) return;
  throw new BerthError('invalid', `invalid filter '${key}=${wrong}'`, { hint: `one of ${allowed.join(', ')}` });
}

function integer(key: string, value: string): number {
  if (/^-?\d+$/.test(value)) return Number(value);
  throw new BerthError('invalid', `invalid filter '${key}=${value}': not a number`);
}

/** `80`, `80/udp` or `8000-8010/tcp` as the names of all its ports. */
function portRange(value: string): readonly string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(value);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || last > 65_535 || last < first) throw new BerthError('invalid', `invalid port: ${value}`);
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${match[3] ?? 'tcp'}`);
}

import type { ContainerCreateBody, HostConfigBody } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { CommandContext } from '../context.ts';
import { readEnvironment, readLabels } from './key-values.ts';
import { limitsAndIsolation } from './limits.ts';
import { parseMount, parseVolumes } from './mounts.ts';
import { chooseNetworks, type NetworkChoice } from './networks.ts';
import { type PortOptions, parsePorts } from './ports.ts';

type Stream = 'stdin' | 'stdout' | 'stderr';

/** Streams that a `run` joins: those of `-a`, else output, and stdin with `-i`. */
export function attachedStreams({ flags, name }: Pick<CommandContext, 'flags' | 'name'>): ReadonlySet<Stream> {
  const given = flags.list('attach').map(readStream);
  if (given.length > 0) return new Set(given);
  if (name.endsWith('run') && flags.bool('detach')) return new Set();
  return new Set<Stream>(['stdout', 'stderr', ...(flags.bool('interactive') ? (['stdin'] as const) : [])]);
}

function readStream(text: string): Stream {
  const stream = text.toLowerCase();
  if (stream === 'stdin' || stream === 'stdout' || stream === 'stderr') return stream;
  throw new BerthError(
    'invalid',
    `invalid argument ${JSON.stringify(text)} for "-a, --attach" flag: valid streams are STDIN, STDOUT and STDERR`,
  );
}

/** The request that the flags of `run` and `create` stand for. @throws BerthError `invalid`, `unsupported` */
export async function createBody(context: CommandContext): Promise<ContainerCreateBody> {
  const { flags, args, environment } = context;
  const [image, ...command] = args;
  const attached = attachedStreams(context);
  const env = await readEnvironment(flags.list('env-file'), flags.list('env'), environment);
  const labels = await readLabels(flags.list('label-file'), flags.list('label'), environment.cwd);
  const volumes = parseVolumes(flags.list('volume'), environment.cwd);
  const ports = parsePorts(flags.list('publish'), flags.list('expose'));
  const networks = chooseNetworks(context);
  const limits = await limitsAndIsolation(flags, environment.cwd);
  const entrypoint = flags.string('entrypoint');
  const interactive = flags.bool('interactive');
  return {
    Hostname: flags.string('hostname') ?? '',
    ...optional('Domainname', flags.string('domainname')),
    ...(Object.keys(ports.exposed).length > 0 ? { ExposedPorts: ports.exposed } : {}),
    User: flags.string('user') ?? '',
    AttachStdin: attached.has('stdin'),
    AttachStdout: attached.has('stdout'),
    AttachStderr: attached.has('stderr'),
    Tty: flags.bool('tty'),
    OpenStdin: interactive,
    StdinOnce: interactive && attached.has('stdin'),
    Env: env,
    Cmd: command.length > 0 ? command : null,
    Image: image!,
    Volumes: volumes.anonymous,
    WorkingDir: flags.string('workdir') ?? '',
    // An empty entrypoint is asked for with one empty word; none leaves the image's.
    Entrypoint: entrypoint === undefined ? null : [entrypoint],
    Labels: labels,
    ...optional('StopSignal', flags.string('stop-signal')),
    ...optional('StopTimeout', flags.number('stop-timeout')),
    HostConfig: hostConfig(context, { binds: volumes.binds, ports, networks, limits }),
    ...(Object.keys(networks.endpoints).length > 0
      ? { NetworkingConfig: { EndpointsConfig: networks.endpoints } }
      : {}),
  };
}

interface ParsedOptions {
  readonly binds: readonly string[];
  readonly ports: PortOptions;
  readonly networks: NetworkChoice;
  readonly limits: HostConfigBody;
}

function hostConfig(
  { flags, environment }: CommandContext,
  { binds, ports, networks, limits }: ParsedOptions,
): HostConfigBody {
  const mounts = flags.list('mount').map((text) => parseMount(text, environment.cwd));
  return {
    Binds: binds,
    NetworkMode: networks.mode,
    ...(Object.keys(ports.bindings).length > 0 ? { PortBindings: ports.bindings } : {}),
    ...(flags.bool('publish-all') ? { PublishAllPorts: true } : {}),
    ...list('Dns', flags.list('dns')),
    ...list('DnsOptions', flags.list('dns-option')),
    ...list('DnsSearch', flags.list('dns-search')),
    ...list('Links', networks.links),
    ...list('ExtraHosts', flags.list('add-host')),
    AutoRemove: flags.bool('rm'),
    Privileged: flags.bool('privileged'),
    ReadonlyRootfs: flags.bool('read-only'),
    ...(flags.has('init') ? { Init: flags.bool('init') } : {}),
    CapAdd: flags.list('cap-add'),
    CapDrop: flags.list('cap-drop'),
    Tmpfs: tmpfsMap(flags.list('tmpfs')),
    ...(mounts.length > 0 ? { Mounts: mounts } : {}),
    ...(flags.list('volumes-from').length > 0 ? { VolumesFrom: flags.list('volumes-from') } : {}),
    ...optional('VolumeDriver', flags.string('volume-driver')),
    ...optional('Runtime', flags.string('runtime')),
    ...optional('ShmSize', flags.number('shm-size')),
    ...limits,
  };
}

/** `path[:options]` to path and options. */
function tmpfsMap(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const colon = text.indexOf(':');
      return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
    }),
  );
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

function list<K extends string>(key: K, values: readonly string[]): { [P in K]?: readonly string[] } {
  return (values.length === 0 ? {} : { [key]: values }) as { [P in K]?: readonly string[] };
}

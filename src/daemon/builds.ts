import type { BuildInput, BuildsApi } from '../api/server/index.ts';
import {
  type BuilderPorts,
  type BuildRequest,
  build,
  createSolver,
  type Entitlement,
  entitlements,
} from '../builder/index.ts';
import type { BuildImages, RootFiles } from '../builder/ports.ts';
import { BerthError } from '../errors/index.ts';
import { canonicalName, hostPlatform, parsePlatform, parseReference, withDefaultTag } from '../oci/index.ts';
import { type ContextOptions, type OpenedContext, openContext } from './build-context.ts';
import { type BuildGarbage, holdLayers } from './build-holds.ts';

/** The largest Dockerfile or ignore file that is read. */
const MAX_FILE_BYTES = 16 << 20;

export interface BuildsOptions extends ContextOptions {
  /** With the images that are here. */
  readonly ports: BuilderPorts;
  /** Lets images come from registries, for somebody who is known to them as it says. */
  readonly pulling: (images: BuildImages, auths: NonNullable<BuildInput['auths']>) => BuildImages;
  /** Keeps what running builds need from being pruned. */
  readonly garbage: BuildGarbage;
  readonly now: () => number;
}

/** Serves builds: finds the Dockerfile and its ignore file, then hands over to the builder. One solver for all. */
export function createBuilds(options: BuildsOptions): BuildsApi {
  const solver = createSolver();
  const held = holdLayers(options.ports, options.garbage);
  return {
    async build(input, { emit, signal }) {
      const context = await openContext(input, options, signal);
      try {
        const request = await requestOf(input, context, options.ports.files);
        const running = { emit, signal, now: options.now, solver };
        const ports = { ...held.ports, images: options.pulling(held.ports.images, input.auths ?? new Map()) };
        const { image } = await held.run(() => build(request, ports, running));
        return { image };
      } finally {
        await context.dispose();
      }
    },
  };
}

async function requestOf(
  input: BuildInput,
  { root, dockerfile: text }: OpenedContext,
  files: RootFiles,
): Promise<BuildRequest> {
  const wanted = text === undefined ? input.dockerfile : ({ kind: 'text', text, name: 'Dockerfile' } as const);
  const dockerfile = await readDockerfile(wanted, root, files);
  const buildArgs = Object.fromEntries(
    Object.entries(input.buildArgs).filter((entry): entry is [string, string] => entry[1] !== null),
  );
  return {
    dockerfile,
    context: root === null ? null : { root, ignore: await readIgnore(root, dockerfile.place, files) },
    names: input.names.map((name) => canonicalName(withDefaultTag(parseReference(name)))),
    buildArgs,
    labels: input.labels,
    noCache: input.noCache,
    platform: input.platform ? parsePlatform(input.platform) : hostPlatform(process.arch),
    network: networkOf(input.network),
    allow: allowedBy(input),
    ...(input.secrets ? { secrets: input.secrets } : {}),
    ...(input.agents ? { agents: input.agents } : {}),
    ...(input.target ? { target: input.target } : {}),
    ...(input.sourceDateEpoch === undefined ? {} : { sourceDateEpoch: input.sourceDateEpoch }),
  };
}

/** Who gives the whole build the host's network lets RUN ask for it, too. */
function allowedBy({ allow = [], network }: BuildInput): readonly Entitlement[] {
  const wanted = network === 'host' ? [...allow, 'network.host'] : allow;
  return wanted.map((name) => {
    const known = entitlements.find((entitlement) => entitlement === name);
    if (known) return known;
    throw new BerthError('invalid', `--allow ${name} is unknown`, { hint: `use one of ${entitlements.join(', ')}` });
  });
}

function networkOf(text: string | undefined): BuildRequest['network'] {
  if (!text || text === 'default') return 'default';
  if (text === 'host' || text === 'none') return text;
  throw new BerthError('unsupported', `--network ${text} is not there yet for builds`, {
    hint: 'use default, host or none',
  });
}

interface FoundDockerfile {
  readonly name: string;
  readonly text: string;
  /** Where it lies, when it is a file: its ignore file lies beside it. */
  readonly place?: { readonly root: string; readonly path: string };
}

async function readDockerfile(
  wanted: BuildInput['dockerfile'],
  root: string | null,
  files: RootFiles,
): Promise<FoundDockerfile> {
  if (wanted.kind === 'text') return { name: wanted.name, text: wanted.text };
  // A file that the caller named by its own path may lie anywhere; one in a context never leads out of it.
  const [base, paths] = wanted.kind === 'file' ? ['/', [wanted.path]] : [root, spellings(wanted.path)];
  if (base === null) throw new BerthError('invalid', 'there is no build context to read the Dockerfile from');
  for (const path of paths) {
    const text = await readText(files, base, path);
    if (text !== undefined) return { name: path, text, place: { root: base, path } };
  }
  throw new BerthError('not-found', `failed to read the Dockerfile: there is no file ${wanted.path} in ${base}`, {
    hint: 'name it with -f, or give the folder that holds it as the build context',
  });
}

/** `dockerfile` in lower case is found, too. @see buildx, "lookup of the default Dockerfile" */
function spellings(path: string): readonly string[] {
  return path === 'Dockerfile' ? [path, 'dockerfile'] : [path];
}

/** `<Dockerfile>.dockerignore` beside the Dockerfile wins over the context's own. */
async function readIgnore(
  root: string,
  place: FoundDockerfile['place'],
  files: RootFiles,
): Promise<{ file: string; text: string } | null> {
  const candidates = [
    ...(place ? [{ root: place.root, path: `${place.path}.dockerignore` }] : []),
    { root, path: '.dockerignore' },
  ];
  for (const candidate of candidates) {
    const text = await readText(files, candidate.root, candidate.path);
    if (text !== undefined) return { file: candidate.path, text };
  }
  return null;
}

async function readText(files: RootFiles, root: string, path: string): Promise<string | undefined> {
  const content = await files.readFile(root, path, MAX_FILE_BYTES + 1);
  if (content && content.length > MAX_FILE_BYTES) {
    throw new BerthError('invalid', `${path} is larger than ${MAX_FILE_BYTES >> 20} MiB`);
  }
  return content?.toString('utf8');
}

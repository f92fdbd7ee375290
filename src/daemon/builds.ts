import { randomBytes } from 'node:crypto';
import { lstat, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildInput, BuildsApi } from '../api/server/index.ts';
import {
  type BuilderPorts,
  type BuildRequest,
  build,
  createSolver,
  type Entitlement,
  entitlements,
} from '../builder/index.ts';
import type { RootFiles } from '../builder/ports.ts';
import { BerthError } from '../errors/index.ts';
import { canonicalName, hostPlatform, parsePlatform, parseReference, withDefaultTag } from '../oci/index.ts';

/** The largest Dockerfile or ignore file that is read. */
const MAX_FILE_BYTES = 16 << 20;

export interface BuildsOptions {
  readonly ports: BuilderPorts;
  /** Where contexts that came as a tar are unpacked. */
  readonly contextsFolder: string;
  /** Unpacks a (possibly compressed) context tar into an empty folder. */
  readonly unpackContext: (tar: AsyncIterable<Uint8Array>, folder: string) => Promise<void>;
  readonly now: () => number;
}

type Context = { readonly root: string | null; dispose(): Promise<void> };

/** Serves builds: finds the Dockerfile and its ignore file, then hands over to the builder. One solver for all. */
export function createBuilds(options: BuildsOptions): BuildsApi {
  const solver = createSolver();
  return {
    async build(input, { emit, signal }) {
      const context = await openContext(input.source, options);
      try {
        const request = await requestOf(input, context.root, options.ports.files);
        const { image } = await build(request, options.ports, { emit, signal, now: options.now, solver });
        return { image };
      } finally {
        await context.dispose();
      }
    },
  };
}

async function openContext(source: BuildInput['source'], options: BuildsOptions): Promise<Context> {
  if (source.kind === 'dockerfile-only') return { root: null, dispose: async () => {} };
  if (source.kind === 'path') {
    const stats = await lstat(source.path).catch(() => undefined);
    if (!stats) throw new BerthError('not-found', `the build context ${source.path} does not exist`);
    if (!stats.isDirectory() && !stats.isSymbolicLink()) {
      throw new BerthError('invalid', `the build context ${source.path} is not a directory`);
    }
    return { root: source.path, dispose: async () => {} };
  }
  const folder = join(options.contextsFolder, `context-${randomBytes(8).toString('hex')}`);
  const dispose = () => rm(folder, { recursive: true, force: true });
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await options.unpackContext(source.stream, folder);
    return { root: folder, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function requestOf(input: BuildInput, root: string | null, files: RootFiles): Promise<BuildRequest> {
  const dockerfile = await readDockerfile(input.dockerfile, root, files);
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

import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { resolve } from 'node:path';
import type { ContainerCreateBody, ContainerCreated } from '../../api/contract/index.ts';
import { BerthError, isBerthError } from '../../errors/index.ts';
import { formatPlatform, hostPlatform, parsePlatform, parseReference } from '../../oci/index.ts';
import type { CommandContext } from '../context.ts';
import { UsageError } from '../syntax/usage-error.ts';
import { createBody } from './create-body.ts';
import { withImage } from './pull.ts';

/** Makes the container that the flags of `run` or `create` describe; pulls its image when that is missing. */
export async function createContainer(context: CommandContext): Promise<{ id: string; body: ContainerCreateBody }> {
  const { flags, args, engine, environment } = context;
  const image = args[0]!;
  const { body, policy, platform, cidFile } = await readRequest(context);
  const create = () =>
    engine.json<ContainerCreated>('POST', '/containers/create', {
      query: { name: flags.string('name'), platform },
      body,
    });
  const quiet = flags.bool('quiet');
  const { stderr, env } = environment;
  const created = await withImage(create, { engine, image, stderr, env, policy, platform, quiet });
  for (const warning of created.Warnings ?? []) environment.stderr.write(`WARNING: ${warning}\n`);
  if (cidFile) await writeFile(cidFile, created.Id, { flag: 'wx', mode: 0o644 });
  return { id: created.Id, body };
}

/** Everything that can be wrong with the flags is found before the engine is asked. @throws UsageError */
async function readRequest(context: CommandContext) {
  const { flags, args, environment, engine, name } = context;
  try {
    parseReferenceOrId(args[0]!);
    return {
      body: await createBody(context),
      policy: pullPolicy(flags.string('pull')),
      platform: engine.host.isLocal ? ownPlatform(flags.string('platform')) : flags.string('platform'),
      cidFile: freshFile(flags.string('cidfile'), environment.cwd),
    };
  } catch (error) {
    if (!isBerthError(error)) throw error;
    throw new UsageError(error.message, { exitCode: 125, command: name, hint: error.hint });
  }
}

/** An image may be named by its id, too, which is no reference. */
function parseReferenceOrId(text: string): void {
  if (!/^(sha256:)?[\da-f]{64}$/.test(text)) parseReference(text);
}

function pullPolicy(text = 'missing'): 'always' | 'missing' | 'never' {
  if (text === 'always' || text === 'missing' || text === 'never') return text;
  throw new BerthError('invalid', `invalid pull option: '${text}': must be one of "always", "missing" or "never"`);
}

/** Our own engine runs what this machine runs. */
export function ownPlatform(text: string | undefined): string | undefined {
  if (!text) return undefined;
  const wanted = formatPlatform(parsePlatform(text));
  const own = formatPlatform(hostPlatform(arch()));
  if (wanted === own || own.startsWith(`${wanted}/`) || wanted.startsWith(`${own}/`)) return wanted;
  throw new BerthError('unsupported', `--platform ${wanted} is not there yet: this machine is ${own}`);
}

function freshFile(text: string | undefined, cwd: string): string | undefined {
  if (!text) return undefined;
  const path = resolve(cwd, text);
  if (!existsSync(path)) return path;
  throw new BerthError('conflict', `the --cidfile ${text} exists already`, {
    hint: 'remove it, or choose another name',
  });
}

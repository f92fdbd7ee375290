import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { BerthError } from '../../errors/index.ts';
import { splitCsv } from '../container/csv.ts';
import type { CommandContext } from '../context.ts';

/** As BuildKit has it. */
const MAX_SECRET_BYTES = 500 * 1024;
type World = Pick<CommandContext['environment'], 'env' | 'cwd'>;

/**
 * Values of `--secret id=ID[,src=FILE|,env=NAME]`, by id. Without a source, the environment variable of that name is
 * taken, else the file. A variable that is not set gives nothing: the step that requires it says so.
 * @throws BerthError `invalid`, `not-found`
 * @see docker buildx build, "--secret"
 */
export function readSecrets(flags: readonly string[], world: World): ReadonlyMap<string, Uint8Array> {
  return new Map(
    flags.flatMap((flag): [string, Uint8Array][] => {
      const { id, content } = readSecret(flag, world);
      return content === undefined ? [] : [[id, content]];
    }),
  );
}

function readSecret(flag: string, world: World): { id: string; content: Uint8Array | undefined } {
  const options = optionsOf(flag);
  const { id, src, source = src, env, type, ...others } = options;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw invalid(flag, `there is no option ${unknown}`);
  if (!id) throw invalid(flag, 'it needs an id');
  if (type !== undefined && type !== 'file' && type !== 'env') throw invalid(flag, `type is file or env, not ${type}`);
  const variable = env ?? (type === 'env' ? (source ?? id) : undefined);
  if (variable !== undefined) return { id, content: ofVariable(variable, world) };
  if (source !== undefined || type === 'file') return { id, content: ofFile(source ?? id, id, world) };
  return { id, content: ofVariable(id, world) ?? ofFile(id, id, world) };
}

function optionsOf(flag: string): Partial<Record<string, string>> {
  return Object.fromEntries(
    splitCsv(flag).map((field) => {
      const equals = field.indexOf('=');
      if (equals < 1) throw invalid(flag, `${field || 'an empty option'} is not KEY=VALUE`);
      return [field.slice(0, equals).toLowerCase(), field.slice(equals + 1)];
    }),
  );
}

function ofVariable(name: string, { env }: World): Uint8Array | undefined {
  const value = env[name];
  return value === undefined ? undefined : Buffer.from(value);
}

function ofFile(path: string, id: string, { cwd }: World): Uint8Array {
  const place = resolve(cwd, path);
  const info = statSync(place, { throwIfNoEntry: false });
  if (!info) throw new BerthError('not-found', `the file ${path} of the secret ${id} is not there`);
  if (!info.isFile()) throw new BerthError('invalid', `${path}, the secret ${id}, is not a file`);
  if (info.size > MAX_SECRET_BYTES) throw new BerthError('invalid', `the secret ${id} is larger than 500 KiB`);
  return readFileSync(place);
}

function invalid(flag: string, why: string): BerthError {
  return new BerthError('invalid', `--secret ${flag}: ${why}`, {
    hint: 'write --secret id=NAME,src=FILE or id=NAME,env=NAME',
  });
}

/**
 * Sockets of `--ssh default` (the agent of this session) and `--ssh ID=SOCKET`, by id.
 * @throws BerthError `invalid`, `not-found`, `unsupported` for keys that no agent holds
 */
export function readAgents(flags: readonly string[], { env, cwd }: World): Readonly<Record<string, string>> {
  return Object.fromEntries(
    flags.map((flag) => {
      const equals = flag.indexOf('=');
      const id = equals < 0 ? flag : flag.slice(0, equals);
      const path = equals < 0 ? env['SSH_AUTH_SOCK'] : flag.slice(equals + 1);
      if (!path) {
        throw new BerthError('invalid', `--ssh ${flag}: there is no SSH agent in this session`, {
          hint: 'start one with eval "$(ssh-agent)", or name its socket with --ssh default=SOCKET',
        });
      }
      const place = resolve(cwd, path);
      const info = statSync(place, { throwIfNoEntry: false });
      if (!info) throw new BerthError('not-found', `--ssh ${flag}: ${path} is not there`);
      if (info.isSocket()) return [id, place];
      throw new BerthError('unsupported', `--ssh ${flag}: ${path} is not the socket of an agent`, {
        hint: `add the key to an agent with ssh-add ${path}, and give --ssh ${id}`,
      });
    }),
  );
}

/** The secrets as the first bytes of a request's body, with the header that says how many. */
export function secretsPreamble(secrets: ReadonlyMap<string, Uint8Array>): {
  header: Readonly<Record<string, string>>;
  bytes: Buffer;
} {
  const encoded = [...secrets].map(([id, content]) => [id, Buffer.from(content).toString('base64')]);
  const bytes = Buffer.from(JSON.stringify(Object.fromEntries(encoded)));
  return { header: { 'X-Berth-Secrets-Bytes': String(bytes.length) }, bytes };
}

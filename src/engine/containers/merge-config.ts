import type { ContainerConfigBody } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { ContainerConfig } from '../../oci/index.ts';

/** A request with the image's defaults filled in. */
export interface MergedConfig extends ContainerConfigBody {
  readonly Env: readonly string[];
  readonly Cmd: readonly string[] | null;
  readonly Entrypoint: readonly string[] | null;
  readonly Labels: Readonly<Record<string, string>>;
}

/**
 * What a container gets of its request and of its image. A request's entrypoint makes the image's command void; a
 * request's command leaves the image's entrypoint. Pure.
 * @throws BerthError `invalid` when there is nothing to run
 */
export function mergeConfig(body: ContainerConfigBody, image: ContainerConfig): MergedConfig {
  const asked = body.Entrypoint ?? [];
  const ownEntrypoint = asked.length > 0;
  const ownCommand = (body.Cmd ?? []).length > 0;
  // The CLI sends `[""]` for `--entrypoint ""`: none, and not the image's either.
  const entrypoint = ownEntrypoint ? asked.filter((word, index) => index > 0 || word !== '') : (image.Entrypoint ?? []);
  const command = ownCommand || ownEntrypoint ? (body.Cmd ?? []) : (image.Cmd ?? []);
  if (entrypoint.length === 0 && command.length === 0) throw new BerthError('invalid', 'no command specified');
  const user = body.User || image.User || '';
  const workingDir = absolute(body.WorkingDir || image.WorkingDir || '');
  const stopSignal = body.StopSignal || image.StopSignal;
  const ports = { ...image.ExposedPorts, ...body.ExposedPorts };
  return {
    Hostname: body.Hostname ?? '',
    Domainname: body.Domainname ?? '',
    User: user,
    AttachStdin: body.AttachStdin ?? false,
    AttachStdout: body.AttachStdout ?? false,
    AttachStderr: body.AttachStderr ?? false,
    ...(Object.keys(ports).length > 0 ? { ExposedPorts: ports } : {}),
    Tty: body.Tty ?? false,
    OpenStdin: body.OpenStdin ?? false,
    StdinOnce: body.StdinOnce ?? false,
    Env: mergeEnv(body.Env ?? [], image.Env ?? []),
    Cmd: command.length > 0 ? command : null,
    Image: body.Image ?? '',
    Volumes: image.Volumes ?? null,
    WorkingDir: workingDir,
    Entrypoint: entrypoint.length > 0 ? entrypoint : null,
    Labels: { ...image.Labels, ...body.Labels },
    ...(stopSignal ? { StopSignal: stopSignal } : {}),
    ...(body.StopTimeout === undefined ? {} : { StopTimeout: body.StopTimeout }),
  };
}

/** The request's variables first, then those of the image that it does not name. */
function mergeEnv(own: readonly string[], image: readonly string[]): readonly string[] {
  const named = new Set(own.map(variableName));
  return [...own, ...image.filter((entry) => !named.has(variableName(entry)))];
}

/**
 * Adds variables to an environment in place of those of the same name; a name without `=` takes one away. Pure.
 */
export function overrideEnv(base: readonly string[], changes: readonly string[]): readonly string[] {
  const values = new Map(base.map((entry) => [variableName(entry), entry]));
  for (const entry of changes) {
    if (entry.includes('=')) values.set(variableName(entry), entry);
    else values.delete(entry);
  }
  return [...values.values()];
}

function variableName(entry: string): string {
  const equals = entry.indexOf('=');
  return equals < 0 ? entry : entry.slice(0, equals);
}

/** @throws BerthError `invalid` */
function absolute(folder: string): string {
  if (folder === '' || folder.startsWith('/')) return folder;
  throw new BerthError('invalid', `the working directory '${folder}' is invalid, it needs to be an absolute path`);
}

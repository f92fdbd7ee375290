import { BerthError, isBerthError } from '../../errors/index.ts';
import { compileTemplate, type Template } from '../../format/template/index.ts';
import type { Command, CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { containerPath, imagePath, networkPath, volumePath } from '../paths.ts';
import { printError } from '../print-error.ts';

type Kind = 'container' | 'image' | 'volume' | 'network';
const KINDS: readonly Kind[] = ['container', 'image', 'volume', 'network'];

/** Maps whose keys users choose: a missing one is `<no value>`. All other keys are the API's, and a typing mistake is told. */
const OPEN_MAPS = new Set([
  'Labels',
  'ExposedPorts',
  'Volumes',
  'Ports',
  'Networks',
  'Containers',
  'AuxiliaryAddresses',
  'Tmpfs',
  'Sysctls',
  'Annotations',
  'Data',
  'Options',
  'DriverOpts',
  'StorageOpt',
  'EndpointsConfig',
  'PortBindings',
]);

export const run: Command = async (context) => {
  const type = context.flags.string('type');
  const kind = KINDS.find((known) => known === type);
  if (type && !kind) {
    throw new BerthError('invalid', `"${type}" is not a type that can be inspected`, {
      hint: 'use container, image, network or volume',
    });
  }
  return await inspect(context, kind ? [kind] : KINDS, context.flags.bool('size'));
};

export const inspectContainers: Command = (context) => inspect(context, ['container'], context.flags.bool('size'));
export const inspectImages: Command = (context) => inspect(context, ['image'], false);
export const inspectNetworks: Command = (context) => inspect(context, ['network'], false);
export const inspectVolumes: Command = (context) => inspect(context, ['volume'], false);

async function inspect(context: CommandContext, kinds: readonly Kind[], size: boolean): Promise<number> {
  const { flags, args, environment } = context;
  const { stdout, stderr } = environment;
  const format = flags.string('format') ?? '';
  const isJson = format === 'json';
  // A mistake in the template is told before anything is asked.
  const template = format === '' || isJson ? undefined : compileTemplate(format);
  const found: object[] = [];
  const failures: unknown[] = [];
  for (const ref of args) {
    try {
      const object = await find(context, ref, kinds, size);
      if (template) stdout.write(`${render(template, object, stdout.isTTY === true)}\n`);
      else found.push(object);
    } catch (error) {
      failures.push(error);
    }
  }
  // Scripts read the list even when one of the names is wrong.
  if (!template) stdout.write(isJson ? `${JSON.stringify(found)}\n` : `${JSON.stringify(found, null, 4)}\n`);
  for (const failure of failures) printError(stderr, failure);
  return failures.length > 0 ? exitCodes.failure : exitCodes.ok;
}

async function find({ engine }: CommandContext, ref: string, kinds: readonly Kind[], size: boolean): Promise<object> {
  for (const kind of kinds) {
    try {
      if (kind === 'network') return await engine.json<object>('GET', networkPath(ref));
      if (kind === 'volume') return await engine.json<object>('GET', volumePath(ref));
      if (kind === 'image') return await engine.json<object>('GET', imagePath(ref, 'json'));
      return await engine.json<object>('GET', containerPath(ref, 'json'), { query: { size: size ? 1 : undefined } });
    } catch (error) {
      if (!isBerthError(error) || error.kind !== 'not-found' || kinds.length === 1) throw error;
    }
  }
  throw new BerthError('not-found', `No such object: ${ref}`);
}

function render(template: Template, object: object, toTerminal: boolean): string {
  const text = template.render(object, { isStruct: structsIn(object) });
  // A label may hold escape sequences; a pipe gets the exact bytes.
  return toTerminal ? text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd') : text;
}

/** Tells the API's own objects from maps of users. */
function structsIn(root: object): (value: object) => boolean {
  const structs = new Set<object>();
  const visit = (value: unknown, isOpen: boolean) => {
    if (typeof value !== 'object' || value === null) return;
    if (!isOpen && !Array.isArray(value)) structs.add(value);
    for (const [key, entry] of Object.entries(value)) visit(entry, OPEN_MAPS.has(key));
  };
  visit(root, false);
  return (value) => structs.has(value);
}

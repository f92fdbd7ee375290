import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { BuildEvent } from '../../builder/events.ts';
import { BerthError } from '../../errors/index.ts';
import { openProgress, type Progress, progressMode } from '../build/progress.ts';
import { buildRequest } from '../build/request.ts';
import { readSource } from '../build/source.ts';
import { readCall } from '../check/call.ts';
import type { Command, CommandContext } from '../context.ts';
import { ExitStatus, exitCodes } from '../exit-codes.ts';
import { paintFor } from '../paint.ts';

export const run: Command = async (context) => {
  const { flags, args, environment } = context;
  const { stdout, stderr } = environment;
  const call = readCall(flags, environment.env);
  if (call.method !== 'build') {
    const { analyse } = await import('../check/analyse.ts');
    return await analyse(context, call);
  }
  const mode = progressMode(flags.string('progress') ?? 'auto', flags.bool('quiet'), stderr.isTTY === true);
  const source = await readSource(args[0]!, flags.string('file'), environment);
  const request = await buildRequest(context, source);
  const progress = await openProgress(mode, environment);
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort();
  environment.signals.on('SIGINT', onSignal);
  environment.signals.on('SIGTERM', onSignal);
  try {
    const image = await follow(context, request, progress, interrupt.signal);
    const idFile = flags.string('iidfile');
    if (idFile) writeFileSync(resolve(environment.cwd, idFile), image);
    if (flags.bool('quiet')) stdout.write(`${image}\n`);
    return exitCodes.ok;
  } catch (error) {
    progress.finish();
    if (!interrupt.signal.aborted) throw error;
    stderr.write(`${paintFor(stderr)('cancelled', 'warning')}\n`);
    throw new ExitStatus(exitCodes.interrupted);
  } finally {
    environment.signals.off('SIGINT', onSignal);
    environment.signals.off('SIGTERM', onSignal);
  }
};

/** Shows the build's events as they come. @returns the image's id */
async function follow(
  { engine, environment: { stderr } }: CommandContext,
  request: Awaited<ReturnType<typeof buildRequest>>,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  let image: string | undefined;
  if (request.body !== undefined) await engine.ready();
  for await (const { id, aux, stream } of engine.messages('POST', '/build', { ...request, signal })) {
    if (id === 'berth.event') progress.show(aux as BuildEvent);
    else if (isImageId(aux)) image = aux.ID;
    // An engine that is not Berth tells the build as text.
    else if (stream !== undefined) stderr.write(stream);
  }
  progress.finish();
  if (image === undefined) throw new BerthError('internal', 'the engine did not tell which image it built');
  return image;
}

function isImageId(aux: unknown): aux is { readonly ID: string } {
  return typeof aux === 'object' && aux !== null && 'ID' in aux && typeof aux.ID === 'string';
}

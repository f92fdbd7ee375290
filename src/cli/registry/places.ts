import type { CopySource, CopyTarget, ImageLocation } from '../../registry-client/index.ts';
import type { CliEnvironment } from '../environment.ts';
import { explained, explainedRefusal, type Registries } from './open.ts';

/** Uses an image in a registry, a layout or an archive. */
export async function withSource<T>(
  text: string,
  { env, cwd }: Pick<CliEnvironment, 'env' | 'cwd'>,
  { client }: Pick<Registries, 'client'>,
  use: (source: CopySource, location: ImageLocation) => Promise<T>,
): Promise<T> {
  const { openSource, parseLocation } = await import('../../registry-client/index.ts');
  const location = parseLocation(text);
  let source: CopySource | undefined;
  try {
    source = await openSource(location, { client, cwd, temporary: env['TMPDIR'] || '/var/tmp' });
    return await use(source, location);
  } catch (error) {
    throw location.kind === 'registry' ? await explained(error, client, location.reference) : error;
  } finally {
    await source?.close();
  }
}

/** Uses a place that an image is copied to. */
export async function withTarget<T>(
  text: string,
  { env, cwd }: Pick<CliEnvironment, 'env' | 'cwd'>,
  { client }: Pick<Registries, 'client'>,
  use: (target: CopyTarget) => Promise<T>,
): Promise<T> {
  const { openTarget, parseLocation } = await import('../../registry-client/index.ts');
  const target = await openTarget(parseLocation(text), { client, cwd, temporary: env['TMPDIR'] || '/var/tmp' });
  try {
    return await use(withOwnRefusals(target));
  } finally {
    await target.close();
  }
}

/** What a target refuses is told of its registry, and not of the source's. */
function withOwnRefusals(target: CopyTarget): CopyTarget {
  const registry = target.repository?.registry;
  if (registry === undefined) return target;
  const told = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw explainedRefusal(error, registry);
    }
  };
  return {
    ...target,
    hasDocument: (digest, signal) => told(target.hasDocument(digest, signal)),
    putBlob: (blob, source, options) => told(target.putBlob(blob, source, options)),
    putDocument: (document, options) => told(target.putDocument(document, options)),
  };
}

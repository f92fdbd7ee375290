import type { CopySource, CopyTarget, ImageLocation } from '../../registry-client/index.ts';
import type { CliEnvironment } from '../environment.ts';
import { explained, type Registries } from './open.ts';

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
    return await use(target);
  } finally {
    await target.close();
  }
}

import { formatList, visibleText } from '../../format/index.ts';
import { compileTemplate } from '../../format/template/index.ts';
import { type Descriptor, formatPlatform, parsePlatform } from '../../oci/index.ts';
import type { CopySource } from '../../registry-client/index.ts';
import { humanSize } from '../../units/index.ts';
import type { Command, CommandContext } from '../context.ts';
import { withRegistries } from '../registry/open.ts';
import { withSource } from '../registry/places.ts';
import { UsageError } from '../syntax/usage-error.ts';

type Fetched = Awaited<ReturnType<CopySource['getDocument']>>;

export const run: Command = async (context) => {
  const { name, flags, args, environment } = context;
  if (flags.bool('raw') && flags.bool('config')) {
    throw new UsageError('--raw and --config exclude each other', { exitCode: 1, command: name });
  }
  return await withRegistries(environment, {}, (registries) =>
    withSource(args[0]!, environment, registries, async (source) => {
      const fetched = await chosen(source, flags.string('platform'), flags.bool('config'), registries.signal);
      if (flags.bool('config')) environment.stdout.write(await configOf(source, fetched, registries.signal));
      else if (flags.bool('raw')) environment.stdout.write(fetched.bytes);
      else await describe(context, source, fetched, registries.signal);
      return 0;
    }),
  );
};

/** The image for a platform; a config is always of one image. */
async function chosen(
  source: CopySource,
  platform: string | undefined,
  wantsConfig: boolean,
  signal: AbortSignal,
): Promise<Fetched> {
  const top = await source.getDocument(undefined, signal);
  if (top.document.kind === 'manifest' || (platform === undefined && !wantsConfig)) return top;
  const { resolveImage } = await import('../../registry-client/index.ts');
  const { hostPlatform } = await import('../../oci/index.ts');
  const wanted = platform === undefined ? hostPlatform(process.arch) : parsePlatform(platform);
  const named = source.repository ?? { registry: 'localhost', repository: source.name };
  const { manifestDigest } = await resolveImage(named, wanted, ({ digest }) => source.getDocument(digest, signal));
  return await source.getDocument(manifestDigest, signal);
}

async function configOf(source: CopySource, { document }: Fetched, signal: AbortSignal): Promise<Uint8Array> {
  if (document.kind === 'index') throw new Error('an index has no config');
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.openBlob(document.manifest.config, { signal })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function describe(
  { flags, environment: { stdout } }: CommandContext,
  source: CopySource,
  { document, digest, bytes }: Fetched,
  signal: AbortSignal,
): Promise<void> {
  const content = document.kind === 'index' ? document.index : document.manifest;
  const referrers = flags.bool('referrers') ? await source.listReferrers(digest, signal) : undefined;
  const format = flags.string('format');
  if (format !== undefined) {
    const all = {
      name: source.name,
      digest,
      mediaType: document.mediaType,
      size: bytes.length,
      manifest: content,
      ...(referrers ? { referrers } : {}),
    };
    const text = format === 'json' ? JSON.stringify(all, null, 4) : compileTemplate(format).render(all);
    stdout.write(`${text}\n`);
    return;
  }
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Name', source.name],
    ['MediaType', document.mediaType],
    ['Digest', digest],
    ['Size', humanSize(bytes.length)],
    ['ArtifactType', content.artifactType],
    ['Subject', content.subject?.digest],
  ];
  for (const [label, value] of facts)
    if (value !== undefined) stdout.write(`${`${label}:`.padEnd(14)}${visibleText(value)}\n`);
  writeAnnotations('Annotations', content.annotations, stdout);
  if (document.kind === 'index') await writeTable('Manifests', document.index.manifests, stdout);
  else {
    await writeTable('Config', [document.manifest.config], stdout);
    await writeTable('Layers', document.manifest.layers, stdout);
  }
  if (referrers) await writeTable('Referrers', referrers, stdout);
}

type Out = CommandContext['environment']['stdout'];

function writeAnnotations(label: string, annotations: Descriptor['annotations'], stdout: Out): void {
  const entries = Object.entries(annotations ?? {});
  if (entries.length > 0) stdout.write(`${label}:\n`);
  for (const [key, value] of entries) stdout.write(`  ${visibleText(key)}=${visibleText(value)}\n`);
}

async function writeTable(label: string, entries: readonly Descriptor[], stdout: Out): Promise<void> {
  const hasPlatforms = entries.some(({ platform }) => platform !== undefined);
  const first = hasPlatforms ? '{{.Platform}}\t' : '';
  const rows = entries.map((entry) => ({
    Platform: entry.platform ? formatPlatform(entry.platform) : '',
    Digest: entry.digest,
    Size: humanSize(entry.size),
    Type: entry.artifactType ?? entry.mediaType,
    Annotations: Object.entries(entry.annotations ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
  }));
  const last = rows.some(({ Annotations }) => Annotations !== '') ? '\t{{.Annotations}}' : '';
  const heads = { Platform: 'PLATFORM', Digest: 'DIGEST', Size: 'SIZE', Type: 'TYPE', Annotations: 'ANNOTATIONS' };
  const table = `${first}{{.Digest}}\t{{.Size}}\t{{.Type}}${last}`;
  stdout.write(`\n${label}:\n${await formatList({ format: 'table', table, heads }, rows)}`);
}

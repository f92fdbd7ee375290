/**
 * Berth as a library. Reading and planning Dockerfiles needs no container, no network and no file: diagnostics are
 * values. The registry client speaks to any registry of the OCI distribution protocol.
 *
 * @example Copy an image with all its platforms into a folder, and see what refers to it
 * ```ts
 * const client = createRegistryClient({ userAgent: 'mine/1', now: Date.now });
 * const source = registrySource(client, parseReference('localhost:5000/team/app:1'));
 * const target = layoutTarget({ folder: '/tmp/app', tag: '1' }, 'app');
 * const { digest } = await copyImage(source, target, { referrers: true });
 * const signatures = await client.listReferrers({ registry: 'localhost:5000', repository: 'team/app', digest });
 * client.close();
 * ```
 */
export { type BuildGraph, planBuild } from './builder/index.ts';
export { type Diagnostic, printDiagnostic, SourceText, type Span } from './diagnostics/index.ts';
export { BerthError, type ErrorKind, isBerthError } from './errors/index.ts';
export {
  annotateEntry,
  createIndex,
  type Descriptor,
  type Digest,
  encodeIndex,
  formatPlatform,
  type Index,
  type Manifest,
  mediaTypes,
  type Platform,
  parsePlatform,
  parseReference,
  type Reference,
  type Registry,
  type Repository,
  type Tag,
} from './oci/index.ts';
export {
  applyEdits,
  type CheckedText,
  type CheckFinding,
  type CheckOptions,
  type Completion,
  checkDockerfile,
  checkText,
  completeAt,
  createIgnoreMatcher,
  type Dockerfile,
  fixText,
  type Hover,
  hoverAt,
  type Instruction,
  listTargets,
  matchIgnore,
  outlineDockerfile,
  parseDockerfile,
  parseIgnore,
  printDockerfile,
  type QuickFix,
  quickFixesAt,
} from './parser/index.ts';
export {
  type CopyMessage,
  type CopyOptions,
  type CopySource,
  type CopyTarget,
  type Credentials,
  copyImage,
  createKeychain,
  createRegistryClient,
  type FetchedDocument,
  type ImageLocation,
  type Keychain,
  layoutSource,
  layoutTarget,
  openRegistries,
  openSource,
  openTarget,
  parseLocation,
  parseRegistryConfig,
  type RegistryClient,
  type RegistryClientOptions,
  type RegistryConfig,
  registryFilesOf,
  registrySource,
  registryTarget,
} from './registry-client/index.ts';

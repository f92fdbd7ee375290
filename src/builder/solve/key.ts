import { type ChainId, canonicalJson, sha256 } from '../../oci/index.ts';
import type { CopyOp, ExecMount, ExecOp, MkdirOp, StepOp } from '../plan/graph.ts';
import type { StepKey } from '../ports.ts';

/** Named inputs of a key, in no order. Values are digests or short texts. */
export type KeyInputs = Readonly<Record<string, string>>;

/** Longer values are stored by their digest: records stay small, and long texts explain nothing. */
const MAX_VALUE = 160;

/**
 * Key of a step: sha256 over canonical JSON of its named inputs. Pure. Nothing in it comes from an image's metadata:
 * the parent counts by its chain id, so a step that was made again with the same result lets later steps hit.
 */
export function stepKey(inputs: KeyInputs): StepKey {
  const short = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, shortValue(value)]));
  return { digest: sha256(canonicalJson(short)), inputs: short };
}

/**
 * What a step does, apart from the files that it reads.
 * @param epoch SOURCE_DATE_EPOCH changes the times inside a layer
 */
export function definitionInputs(op: StepOp, parent: ChainId | null, epoch: number | undefined): KeyInputs {
  return {
    kind: op.kind,
    parent: parent ?? 'scratch',
    ...(epoch === undefined ? {} : { SOURCE_DATE_EPOCH: String(epoch) }),
    ...ownInputs(op),
  };
}

function ownInputs(op: StepOp): KeyInputs {
  switch (op.kind) {
    case 'exec':
      return execInputs(op);
    case 'copy':
      return copyInputs(op);
    case 'mkdir':
      return mkdirInputs(op);
  }
}

function execInputs(op: ExecOp): KeyInputs {
  const { argv, env, cwd, user, network, mounts, platform, entitlements, devices } = op;
  const inputs: Record<string, string> = { command: JSON.stringify(argv), cwd, user, network, platform };
  if (entitlements.includes('security.insecure')) inputs['security'] = 'insecure';
  if (devices.length > 0) inputs['devices'] = JSON.stringify(devices);
  for (const entry of env) {
    const at = entry.indexOf('=');
    inputs[`env ${entry.slice(0, at)}`] = entry.slice(at + 1);
  }
  for (const mount of mounts) inputs[`mount ${placeOf(mount)}`] = mountDefinition(mount);
  return inputs;
}

function placeOf(mount: ExecMount): string {
  return mount.target ?? (mount.type === 'secret' ? `$${mount.env}` : '');
}

/**
 * Trees that a mount shows are inputs of their own. What a cache holds, and by which name, does not change what a
 * command means; what a secret says is nobody's business.
 */
function mountDefinition(mount: ExecMount): string {
  if (mount.type === 'cache') {
    const { type, target, readonly, mode, uid, gid } = mount;
    return canonicalJson({ type, target, readonly, mode, uid, gid });
  }
  if (mount.type !== 'bind') return canonicalJson(mount);
  const { type, source, target, readonly } = mount;
  return canonicalJson({ type, source, target, readonly, from: mount.from.kind });
}

function copyInputs(op: CopyOp): KeyInputs {
  const { sources, remotes, dest, chown, chmod, parents, excludes, unpack, from } = op;
  const inputs: Record<string, string> = {
    sources: JSON.stringify(sources),
    destination: dest,
    owner: chown ?? (from.kind === 'context' ? '0:0' : 'kept'),
    options: canonicalJson({ parents, excludes, unpack, ...(op.link ? { link: true } : {}) }),
  };
  if (chmod !== undefined) inputs['mode'] = chmod;
  if (remotes.length > 0) {
    inputs['fetched'] = canonicalJson({
      at: remotes.map(({ before, name }) => [before, name]),
      unpack: op.unpackRemote,
    });
  }
  op.inline.forEach(({ name, content }, index) => {
    inputs[`heredoc ${index} ${name}`] = sha256(content);
  });
  return inputs;
}

function mkdirInputs({ path, user }: MkdirOp): KeyInputs {
  return { path, user };
}

function shortValue(value: string): string {
  // A text that looks like one of our digests must not pass for it.
  return value.length > MAX_VALUE || /^text:/.test(value) ? `text:${sha256(value)}` : value;
}

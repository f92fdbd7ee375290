import type { MkdirOp } from '../plan/graph.ts';
import type { WritableRoot } from '../ports.ts';
import { resolveOwner } from './owner.ts';
import type { StepEnv } from './step-env.ts';

/** WORKDIR: the folder, owned by the current USER. One that is there stays as it is. */
export async function runMkdir(env: StepEnv, { path, user }: MkdirOp, root: WritableRoot): Promise<void> {
  const { files } = env.ports;
  if ((await files.stat(root.path, path))?.type === 'directory') return;
  const owner = user === '' ? { uid: 0, gid: 0 } : await resolveOwner(files, root.path, user);
  await files.makeDirectory(root.path, path, { ...owner, mode: 0o755 });
}

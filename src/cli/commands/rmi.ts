import type { ImageDeleted } from '../../api/contract/index.ts';
import { isBerthError } from '../../errors/index.ts';
import type { Command } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { imagePath } from '../paths.ts';
import { printError } from '../print-error.ts';

export const run: Command = async ({ args, flags, engine, environment }) => {
  const force = flags.bool('force');
  const query = { force: force ? 1 : undefined, noprune: flags.bool('no-prune') ? 1 : undefined };
  let code: number = exitCodes.ok;
  // One after the other: what is removed depends on the names that are left.
  for (const ref of args) {
    try {
      const removed = await engine.json<readonly ImageDeleted[]>('DELETE', imagePath(ref), { query });
      for (const item of removed)
        environment.stdout.write('Deleted' in item ? `Deleted: ${item.Deleted}\n` : `Untagged: ${item.Untagged}\n`);
    } catch (error) {
      printError(environment.stderr, error);
      const isGone = isBerthError(error) && error.kind === 'not-found';
      if (!(force && isGone)) code = exitCodes.failure;
    }
  }
  return code;
};

import { BerthError } from '../../errors/index.ts';
import type { Command } from '../context.ts';
import { containerPath } from '../paths.ts';

export const run: Command = async ({ args, engine }) => {
  const [ref, name] = args.map((arg) => arg.trim());
  if (!ref || !name) throw new BerthError('invalid', 'neither the old nor the new name may be empty');
  await engine.send('POST', containerPath(ref, 'rename'), { query: { name } });
  return 0;
};

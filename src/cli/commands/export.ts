import type { Command } from '../context.ts';
import { writeArchive } from '../output-file.ts';
import { containerPath } from '../paths.ts';

export const run: Command = async ({ args, flags, engine, environment }) => {
  const open = async () => (await engine.request('GET', containerPath(args[0]!, 'export'))).stream;
  await writeArchive(open, flags.string('output'), environment);
  return 0;
};

import type { Command } from '../context.ts';
import { writeArchive } from '../output-file.ts';

export const run: Command = async ({ args, flags, engine, environment }) => {
  const open = async () => (await engine.request('GET', '/images/get', { query: { names: args } })).stream;
  await writeArchive(open, flags.string('output'), environment);
  return 0;
};

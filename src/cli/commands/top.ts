import { alignColumns, visibleText } from '../../format/index.ts';
import type { Command } from '../context.ts';
import { containerPath } from '../paths.ts';

const MIN_WIDTH = 20;

export const run: Command = async ({ args, engine, environment }) => {
  const [container, ...psArgs] = args;
  const { Titles, Processes } = await engine.json<{
    Titles: readonly string[];
    Processes: readonly (readonly string[])[];
  }>('GET', containerPath(container!, 'top'), { query: { ps_args: psArgs.length > 0 ? psArgs.join(' ') : undefined } });
  const lines = [Titles, ...(Processes ?? [])].map((cells) => cells.map(visibleText).join('\t'));
  environment.stdout.write(`${alignColumns(lines, MIN_WIDTH).join('\n')}\n`);
  return 0;
};

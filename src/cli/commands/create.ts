import { createContainer } from '../container/create-container.ts';
import type { Command } from '../context.ts';

export const run: Command = async (context) => {
  const { id } = await createContainer(context);
  context.environment.stdout.write(`${id}\n`);
  return 0;
};

import type { Command } from '../context.ts';
import { imagePath } from '../paths.ts';
import { repositoryAndTag } from '../repository-tag.ts';

export const run: Command = async ({ args, engine }) => {
  const [source, target] = args as readonly [string, string];
  await engine.send('POST', imagePath(source, 'tag'), { query: repositoryAndTag(target) });
  return 0;
};

import type { Check } from '../check.ts';

const RESERVED = ['scratch', 'context'];

/** DuplicateStageName, ReservedStageName. */
export const stageNameChecks: Check = {
  file({ dockerfile }, report) {
    const seen = new Set<string>();
    for (const { from } of dockerfile.stages) {
      if (!from.alias) continue;
      const { name, word } = from.alias;
      if (RESERVED.includes(name)) report('ReservedStageName', from, { name }, { span: word.span });
      if (seen.has(name)) report('DuplicateStageName', from, { name }, { span: word.span });
      seen.add(name);
    }
  },
};

import { isBerthError } from '../../../errors/index.ts';
import { parseReference } from '../../../oci/index.ts';
import type { Word } from '../../ir.ts';
import { expandWord } from '../../words/expand.ts';
import type { Check } from '../check.ts';
import { suggest, variableSpan } from '../variables.ts';

/** UndefinedArgInFrom, InvalidDefaultArgInFrom. */
export const fromArgumentChecks: Check = {
  stage({ stage: { from } }, { dockerfile, globals, defaults, globalNames }, report) {
    const token = dockerfile.escape;
    const checkNames = (word: Word) => {
      for (const name of expandWord(word.text, { escape: token, lookup: (key) => globals.get(key) }).missing) {
        if (globalNames.has(name)) continue;
        const facts = { name, nearest: suggest(name, globalNames) };
        report('UndefinedArgInFrom', from, facts, { span: variableSpan(word, name) });
      }
    };
    checkNames(from.image);
    if (from.platform) checkNames(from.platform);
    if (!from.image.text.includes('$')) return;
    const { value, errors } = expandWord(from.image.text, { escape: token, lookup: (key) => defaults.get(key) });
    if (errors.length > 0 || isReference(value)) return;
    report('InvalidDefaultArgInFrom', from, { value: from.image.text }, { span: from.image.span });
  },
};

function isReference(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch (error) {
    if (isBerthError(error)) return false;
    throw error;
  }
}

import { BerthError } from '../../errors/index.ts';

/** `--annotation KEY=VALUE`; a later one wins. @throws BerthError `invalid` */
export function readAnnotations(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
      throw new BerthError('invalid', `invalid annotation: ${JSON.stringify(text)}`, { hint: 'write KEY=VALUE' });
    }),
  );
}

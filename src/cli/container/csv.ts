import { BerthError } from '../../errors/index.ts';

/** Splits one line of comma-separated values; a value in double quotes may hold commas and `""`. */
export function splitCsv(text: string): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const quoted = /^"((?:[^"]|"")*)"(?=,|$)/.exec(text.slice(at));
    if (!quoted && text[at] === '"') throw new BerthError('invalid', 'a quote is not closed');
    if (quoted) {
      fields.push(quoted[1]!.replaceAll('""', '"'));
      at += quoted[0].length;
    } else {
      const comma = text.indexOf(',', at);
      fields.push(text.slice(at, comma < 0 ? undefined : comma));
      at = comma < 0 ? text.length : comma;
    }
    if (at >= text.length) return fields;
    at++;
  }
}

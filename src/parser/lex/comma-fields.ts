/** One field of a comma-separated flag value; `[start, end)` are offsets in the value, quotes included. */
export interface Field {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Splits as CSV does: a field in double quotes may hold commas, and `""` is a quote in it. */
export function commaFields(value: string): Field[] {
  const fields: Field[] = [];
  let at = 0;
  while (true) {
    const start = at;
    let text = '';
    if (value[at] === '"') {
      at++;
      while (at < value.length) {
        if (value[at] === '"') {
          if (value[at + 1] !== '"') break;
          at++;
        }
        text += value[at++];
      }
      at++;
    }
    const comma = value.indexOf(',', at);
    const end = comma < 0 ? value.length : comma;
    text += value.slice(at, end);
    fields.push({ text, start, end });
    if (comma < 0) return fields;
    at = comma + 1;
  }
}

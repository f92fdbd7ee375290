/**
 * Domain names as text: labels joined by dots, no dot at the end, the root is empty. Bytes that are no plain text are
 * escaped as in zone files (`\.`, `\\`, `\200`), so that every name has exactly one text. Pure.
 * @see RFC 1035, 3.1, 4.1.4 and 5.1
 */
const MAX_NAME_BYTES = 255;
const MAX_LABEL_BYTES = 63;
/** More labels than this do not fit into a name, so more jumps are never needed. */
const MAX_JUMPS = 127;
const POINTER = 0xc0;

/**
 * Reads a name that may be compressed. Pointers must lead backwards, so none is followed twice.
 * @returns undefined when the bytes hold none
 */
export function readName(bytes: Uint8Array, at: number): { readonly name: string; readonly next: number } | undefined {
  const labels: string[] = [];
  let length = 1;
  let next: number | undefined;
  let [position, before, jumps] = [at, at, 0];
  for (;;) {
    const size = bytes[position];
    if (size === undefined) return undefined;
    if ((size & POINTER) === POINTER) {
      const low = bytes[position + 1];
      if (low === undefined) return undefined;
      const target = ((size & ~POINTER) << 8) | low;
      jumps += 1;
      if (target >= before || jumps > MAX_JUMPS) return undefined;
      next ??= position + 2;
      position = target;
      before = target;
      continue;
    }
    if (size > MAX_LABEL_BYTES) return undefined;
    if (size === 0) return { name: labels.join('.'), next: next ?? position + 1 };
    length += size + 1;
    if (length > MAX_NAME_BYTES || position + size >= bytes.length) return undefined;
    labels.push(labelText(bytes, position + 1, position + 1 + size));
    position += size + 1;
  }
}

/** The labels of a name's text, still escaped. */
export function splitName(name: string): readonly string[] {
  if (!name.includes('\\')) return name === '' ? [] : name.split('.');
  return name.match(/(?:[^.\\]|\\.)+/g) ?? [];
}

/** The bytes of a label, without its length. @returns undefined when it is too long or empty */
export function labelBytes(label: string): Buffer | undefined {
  const plain = label.includes('\\')
    ? label.replace(/\\(\d{3})|\\(.)/g, (_, code?: string, char?: string) => char ?? String.fromCharCode(Number(code)))
    : label;
  const bytes = Buffer.from(plain, 'latin1');
  return bytes.length > 0 && bytes.length <= MAX_LABEL_BYTES ? bytes : undefined;
}

/** Whether a text can be written as a name. */
export function isName(text: string): boolean {
  if (text === '') return true;
  if (/[^\x21-\x7e]/.test(text)) return false;
  const labels = splitName(text).map((label) => labelBytes(label)?.length ?? Number.NaN);
  const bytes = labels.reduce((sum, length) => sum + length + 1, 1);
  return splitName(text).join('.') === text && bytes <= MAX_NAME_BYTES;
}

/** Names that differ in case only are one name. */
export function sameName(one: string, other: string): boolean {
  return one === other || one.toLowerCase() === other.toLowerCase();
}

function labelText(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at]!;
    if (byte === 0x2e || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else if (byte > 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\${String(byte).padStart(3, '0')}`;
  }
  return text;
}

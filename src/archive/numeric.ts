/**
 * Reads a number field: octal text, or the GNU base-256 form whose first byte has its high bit set.
 * @returns undefined for text that is no number and for values beyond 2^53
 */
export function readNumber(field: Buffer): number | undefined {
  if ((field[0]! & 0x80) !== 0) return readBase256(field);
  let start = 0;
  let end = field.length;
  while (start < end && isBlank(field[start]!)) start += 1;
  const nul = field.indexOf(0, start);
  if (nul >= 0) end = nul;
  while (end > start && isBlank(field[end - 1]!)) end -= 1;
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const digit = field[at]! - 0x30;
    if (digit < 0 || digit > 7) return undefined;
    value = value * 8 + digit;
  }
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Two's complement over all bits but the marker. */
function readBase256(field: Buffer): number | undefined {
  const negative = (field[0]! & 0x40) !== 0;
  let value = BigInt(field[0]! & 0x3f);
  for (let at = 1; at < field.length; at += 1) value = (value << 8n) | BigInt(field[at]!);
  if (negative) value -= 1n << BigInt(field.length * 8 - 2);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Largest value of an octal field that ends in NUL. */
export function octalLimit(fieldLength: number): number {
  return 8 ** (fieldLength - 1) - 1;
}

export function writeOctal(block: Buffer, value: number, offset: number, fieldLength: number): void {
  block.write(value.toString(8).padStart(fieldLength - 1, '0'), offset, fieldLength - 1, 'latin1');
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0;
}

import { BerthError } from '../errors/index.ts';

const DECIMAL_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'];
const SIZE = /^(\d+(?:\.\d+)?|\.\d+) ?([kmgtp]?)(?:i?b)?$/i;

/** A byte count in SI units, as `1.984MB`. Tables of images and containers use a precision of 3. Pure. */
export function humanSize(bytes: number, precision = 4): string {
  return scaled(bytes, 1000, DECIMAL_UNITS, precision);
}

/** A byte count in powers of 1024, as `1.5GiB`. Pure. */
export function humanBinarySize(bytes: number, precision = 4): string {
  return scaled(bytes, 1024, BINARY_UNITS, precision);
}

function scaled(bytes: number, base: number, units: readonly string[], precision: number): string {
  let value = bytes;
  let unit = 0;
  // Compared after rounding, so that 999999 bytes are 1MB and never 1e+03kB.
  while (Math.abs(Number(value.toPrecision(precision))) >= base && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  return `${Number(value.toPrecision(precision))}${units[unit]}`;
}

/**
 * Reads a size with an optional unit of powers of 1024: `64m`, `1.5g`, `512`, `10 MiB`.
 * @returns whole bytes @throws BerthError `invalid`
 */
export function parseSize(text: string): number {
  const match = SIZE.exec(text.trim());
  const power = match ? ' kmgtp'.indexOf((match[2] || ' ').toLowerCase()) : -1;
  const bytes = match ? Math.trunc(Number(match[1]) * 1024 ** power) : Number.NaN;
  if (!Number.isSafeInteger(bytes)) {
    throw new BerthError('invalid', `invalid size: '${text}'`, { hint: 'write a number with b, k, m or g, as 64m' });
  }
  return bytes;
}

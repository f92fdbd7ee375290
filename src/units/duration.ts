import { BerthError } from '../errors/index.ts';

const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const TERM = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;
const HOURS_PER_WEEK = 24 * 7;
const HOURS_PER_MONTH = 24 * 30;
const HOURS_PER_YEAR = 24 * 365;

/**
 * A span of time in words, as Docker's tables show it: `5 seconds`, `About a minute`, `2 hours`. Pure.
 * @see docker/go-units, HumanDuration
 */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.trunc(ms / 3_600_000 + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < HOURS_PER_WEEK * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < HOURS_PER_MONTH * 2) return `${Math.trunc(hours / HOURS_PER_WEEK)} weeks`;
  if (hours < HOURS_PER_YEAR * 2) return `${Math.trunc(hours / HOURS_PER_MONTH)} months`;
  return `${Math.trunc(ms / 3_600_000 / HOURS_PER_YEAR)} years`;
}

/** True for text that `parseDuration` reads. */
export function isDuration(text: string): boolean {
  return nanoseconds(text) !== undefined;
}

/**
 * Reads a Go duration: `1h2m3.5s`, `300ms`, `-5s`, `0`.
 * @returns nanoseconds @throws BerthError `invalid`
 * @see Go time.ParseDuration
 */
export function parseDuration(text: string): number {
  const value = nanoseconds(text);
  if (value === undefined) {
    throw new BerthError('invalid', `invalid duration: '${text}'`, {
      hint: 'write a number with a unit, as 1m30s or 500ms',
    });
  }
  return value;
}

function nanoseconds(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = /^[+-]/.test(text) ? text.slice(1) : text;
  if (body === '0') return 0;
  let total = 0;
  TERM.lastIndex = 0;
  while (TERM.lastIndex < body.length) {
    const match = TERM.exec(body);
    if (!match) return undefined;
    total += Number(match[1]) * NANOSECONDS[match[2]!]!;
  }
  return body === '' ? undefined : sign * Math.trunc(total);
}

/**
 * Nanoseconds in Go's text form: `1h2m3.5s`, `1.5ms`, `0s`. The inverse of `parseDuration`.
 * @see Go time.Duration.String
 */
export function formatDuration(ns: number): string {
  if (ns === 0) return '0s';
  const sign = ns < 0 ? '-' : '';
  const value = Math.abs(Math.trunc(ns));
  if (value < 1e3) return `${sign}${value}ns`;
  if (value < 1e6) return `${sign}${decimal(value, 3)}µs`;
  if (value < 1e9) return `${sign}${decimal(value, 6)}ms`;
  const wholeMinutes = Math.floor(value / 60e9);
  const seconds = `${decimal(value - wholeMinutes * 60e9, 9)}s`;
  if (wholeMinutes === 0) return `${sign}${seconds}`;
  const hours = Math.floor(wholeMinutes / 60);
  return `${sign}${hours > 0 ? `${hours}h` : ''}${wholeMinutes % 60}m${seconds}`;
}

/** An integer with its decimal point moved left, without trailing zeros: exact, unlike a division. */
function decimal(value: number, places: number): string {
  const digits = String(value).padStart(places + 1, '0');
  const fraction = digits.slice(-places).replace(/0+$/, '');
  return `${digits.slice(0, -places)}${fraction === '' ? '' : `.${fraction}`}`;
}

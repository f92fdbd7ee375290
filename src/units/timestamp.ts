import { BerthError } from '../errors/index.ts';
import { isDuration, parseDuration } from './duration.ts';

const DATE_TIME = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?)?(Z|z|[+-]\d{2}:\d{2})?$/;
const UNIX = /^(\d+)(?:\.(\d{1,9}))?$/;

/** What the Engine API writes for "never". */
export const zeroTime = '0001-01-01T00:00:00Z';

/**
 * Milliseconds since the epoch (a fraction is kept down to the microsecond) as RFC 3339 in UTC. By default without
 * trailing zeros, as Go's RFC3339Nano; `fixed` gives all nine digits, which sorts and aligns. Pure.
 */
export function formatRfc3339Nano(ms: number, options: { readonly fixed?: boolean } = {}): string {
  const microseconds = Math.round(ms * 1000);
  const seconds = Math.floor(microseconds / 1e6);
  const digits = `${String(microseconds - seconds * 1e6).padStart(6, '0')}000`;
  const fraction = options.fixed ? digits : digits.replace(/0+$/, '');
  return `${new Date(seconds * 1000).toISOString().slice(0, -5)}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** Milliseconds since the epoch as `seconds.nanoseconds`: what `since` and `until` of the Engine API take. */
export function formatUnixSeconds(ms: number): string {
  const microseconds = Math.round(ms * 1000);
  const seconds = Math.floor(microseconds / 1e6);
  return `${seconds}.${String(microseconds - seconds * 1e6).padStart(6, '0')}000`;
}

/**
 * Reads a point in time in one of the forms of `--since` and `--until`: RFC 3339 (also shortened to the minute or day,
 * local time without a zone), unix seconds with a fraction, or a Go duration, which means that long ago.
 * @returns milliseconds since the epoch, with a fraction @throws BerthError `invalid`
 */
export function parseTimestamp(text: string, nowMs: number): number {
  const unix = UNIX.exec(text);
  if (unix) return Number(unix[1]) * 1000 + Number(`0.${unix[2] ?? '0'}`) * 1000;
  if (isDuration(text)) return nowMs - parseDuration(text) / 1e6;
  const value = parseDateTime(text);
  if (value === undefined) {
    throw new BerthError('invalid', `invalid time: '${text}'`, {
      hint: 'write a date (2026-01-31T12:00:00Z), seconds since 1970, or how long ago (10m)',
    });
  }
  return value;
}

/** Milliseconds since the epoch of an RFC 3339 text; undefined for anything else and for the zero time. */
export function parseRfc3339(text: string): number | undefined {
  return text.startsWith('0001-') ? undefined : parseDateTime(text);
}

function parseDateTime(text: string): number | undefined {
  const match = DATE_TIME.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const daysInMonth = new Date(Date.UTC(year, month, 0)).getUTCDate();
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth || hour > 23 || minute > 59 || second > 59)
    return undefined;
  const fraction = Number(match[7] ?? 0) * 1000;
  const zone = match[8];
  if (zone === undefined) return new Date(year, month - 1, day, hour, minute, second).getTime() + fraction;
  return Date.UTC(year, month - 1, day, hour, minute, second) - zoneOffset(zone) + fraction;
}

function zoneOffset(zone: string): number {
  if (zone.toUpperCase() === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}

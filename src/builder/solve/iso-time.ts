/** @see RFC 3339; without a fraction when it is zero, as Go writes it */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

/** A span of milliseconds as `1.2s`. */
export function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)}s`;
}

const ESCAPE_SEQUENCE = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

/** One line of a step's output for a place of its own: no escape sequences, no control characters. */
export function visibleLine(text: string): string {
  return text
    .replace(ESCAPE_SEQUENCE, '')
    .replaceAll('\t', '  ')
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, '');
}

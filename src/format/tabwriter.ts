const MIN_WIDTH = 10;
const PADDING = 3;

/**
 * Aligns tab-separated lines as Docker's tables are: a cell is as wide as the widest of its column plus 3, at least 10.
 * A column is a run of neighbouring lines that have a tab there; text behind the last tab of a line is never padded.
 * @see Go text/tabwriter
 */
export function alignColumns(lines: readonly string[], minWidth = MIN_WIDTH): string[] {
  const cells = lines.map((line) => line.split('\t'));
  const widths: number[][] = cells.map(() => []);
  measure(cells, widths, { from: 0, to: cells.length, column: 0, minWidth });
  return cells.map((row, at) =>
    row.map((cell, column) => (column < row.length - 1 ? padEnd(cell, widths[at]![column]!) : cell)).join(''),
  );
}

interface Area {
  readonly from: number;
  readonly to: number;
  readonly column: number;
  readonly minWidth: number;
}

function measure(cells: readonly string[][], widths: number[][], { from, to, column, minWidth }: Area): void {
  for (let start = from; start < to; start++) {
    if (!hasCell(cells[start]!, column)) continue;
    let end = start;
    while (end < to && hasCell(cells[end]!, column)) end++;
    const contents = cells.slice(start, end).map((row) => displayLength(row[column]!) + PADDING);
    // Not by spreading: a list may be longer than a call may have arguments.
    const width = contents.reduce((widest, length) => Math.max(widest, length), minWidth);
    for (let at = start; at < end; at++) widths[at]![column] = width;
    measure(cells, widths, { from: start, to: end, column: column + 1, minWidth });
    start = end - 1;
  }
}

function hasCell(row: readonly string[], column: number): boolean {
  return column < row.length - 1;
}

function padEnd(text: string, width: number): string {
  return text + ' '.repeat(width - displayLength(text));
}

function displayLength(text: string): number {
  return /^[\x20-\x7e]*$/.test(text) ? text.length : [...text].length;
}

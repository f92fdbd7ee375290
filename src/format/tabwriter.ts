const MIN_WIDTH = 10;
const PADDING = 3;

/**
 * Aligns tab-separated lines as Docker's tables are: a cell is as wide as the widest of its column plus 3, at least 10.
 * A column is a run of neighbouring lines that have a tab there; text behind the last tab of a line is never padded.
 * @see Go text/tabwriter
 */
export function alignColumns(lines: readonly string[]): string[] {
  const cells = lines.map((line) => line.split('\t'));
  const widths: number[][] = cells.map(() => []);
  measure(cells, widths, 0, cells.length, 0);
  return cells.map((row, at) =>
    row.map((cell, column) => (column < row.length - 1 ? padEnd(cell, widths[at]![column]!) : cell)).join(''),
  );
}

function measure(cells: readonly string[][], widths: number[][], from: number, to: number, column: number): void {
  for (let start = from; start < to; start++) {
    if (!hasCell(cells[start]!, column)) continue;
    let end = start;
    while (end < to && hasCell(cells[end]!, column)) end++;
    const block = cells.slice(start, end);
    const width = Math.max(MIN_WIDTH, ...block.map((row) => displayLength(row[column]!) + PADDING));
    for (let at = start; at < end; at++) widths[at]![column] = width;
    measure(cells, widths, start, end, column + 1);
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

/** Something that an archive wrote and a later entry of it replaced; its bytes were moved to `kept/<index>`. */
export interface Replaced {
  /** Path in the layer that it had. */
  readonly path: string;
  /** Number of file contents that the archive had brought by then. */
  readonly before: number;
}

/** Where the contents of a layer's archive are now. */
export class ContentPlaces {
  readonly #moves = new Map<string, { readonly before: number; readonly index: number }[]>();

  constructor(replaced: readonly Replaced[]) {
    for (const [index, { path, before }] of replaced.entries()) {
      const moves = this.#moves.get(path);
      if (moves) moves.push({ before, index });
      else this.#moves.set(path, [{ before, index }]);
    }
  }

  /** @param ordinal number of the content within the archive, from 0. @returns path relative to the layer's folder */
  find(path: string, ordinal: number): string {
    // Moves are in order of time: the first that took the path, or a directory that it lay in, has the content.
    let first: { readonly index: number; readonly below: string } | undefined;
    for (let end = path.length; end > 0 && this.#moves.size > 0; end = path.lastIndexOf('/', end - 1)) {
      const move = this.#moves.get(path.slice(0, end))?.find(({ before }) => before > ordinal);
      if (move && (first === undefined || move.index < first.index))
        first = { index: move.index, below: path.slice(end) };
    }
    return first === undefined ? `fs/${path}` : `kept/${first.index}${first.below}`;
  }
}

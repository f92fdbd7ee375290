/** Thrown inside this folder only; `expand.ts` turns it into a value. */
export class WordError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

declare global {
  interface JSON {
    /** A value that is written as it is. TypeScript does not know it yet. @see ECMAScript, JSON.parse source text access */
    rawJSON(text: string): object;
  }
}

/** Stands for RLIM_INFINITY: the number next to it that can be told here. What is read from a config is this, too. */
export const unlimited = 2 ** 64;
const RLIM_INFINITY = '18446744073709551615';

/** The text of a document for a runtime: runtimes refuse numbers that do not fit into 64 bits. Pure. */
export function ociJson(document: object): string {
  return JSON.stringify(document, (_key, value: unknown) =>
    value === unlimited ? JSON.rawJSON(RLIM_INFINITY) : value,
  );
}

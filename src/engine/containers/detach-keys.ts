import { BerthError } from '../../errors/index.ts';

const DEFAULT_KEYS = 'ctrl-p,ctrl-q';
const CONTROL: Readonly<Record<string, number>> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 };

/**
 * Bytes of a key sequence that is written as `ctrl-p,ctrl-q` or `a,b`.
 * @throws BerthError `invalid`
 */
export function parseDetachKeys(text: string | undefined): Buffer {
  const bytes = (text || DEFAULT_KEYS).split(',').map(keyByte);
  if (bytes.some((byte) => byte === undefined)) {
    throw new BerthError('invalid', `Invalid detach keys (${text}) provided`, {
      hint: 'write letters or ctrl- with a letter or one of @[\\]^_, with commas between, as ctrl-p,ctrl-q',
    });
  }
  return Buffer.from(bytes as number[]);
}

function keyByte(key: string): number | undefined {
  if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0);
  const control = /^ctrl-(.)$/i.exec(key)?.[1]?.toLowerCase();
  if (control === undefined) return undefined;
  return control >= 'a' && control <= 'z' ? control.charCodeAt(0) - 96 : CONTROL[control];
}

/** Takes the detach sequence out of what a user types. Keys that may begin one are held back until that is decided. */
export class DetachWatch {
  readonly #keys: Buffer;
  #held: number[] = [];

  constructor(keys: Buffer) {
    this.#keys = keys;
  }

  /** @returns what goes to the process, and whether the sequence is complete */
  push(chunk: Uint8Array): { readonly data: Buffer; readonly detached: boolean } {
    const passed: number[] = [];
    for (const byte of chunk) {
      this.#held.push(byte);
      while (!this.#isPrefix()) passed.push(this.#held.shift()!);
      if (this.#held.length === this.#keys.length) {
        this.#held = [];
        return { data: Buffer.from(passed), detached: true };
      }
    }
    return { data: Buffer.from(passed), detached: false };
  }

  #isPrefix(): boolean {
    return this.#held.every((byte, index) => byte === this.#keys[index]);
  }
}

import { BerthError } from '../../errors/index.ts';

const DEFAULT_KEYS = 'ctrl-p,ctrl-q';

/** Reads `ctrl-p,ctrl-q`: comma-separated characters, `ctrl-` before a letter or one of `@[\]^_`. @throws BerthError `invalid` */
export function parseDetachKeys(text: string = DEFAULT_KEYS): Buffer {
  const bytes = (text === '' ? DEFAULT_KEYS : text).split(',').map((key) => {
    const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)?.[1];
    if (control) return control.toUpperCase().charCodeAt(0) & 0x1f;
    if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0);
    throw new BerthError('invalid', `invalid detach keys: '${text}': '${key}' is not a key`, {
      hint: 'write them as ctrl-p,ctrl-q',
    });
  });
  return Buffer.from(bytes);
}

/** Watches typed bytes for the detach keys. Bytes that may begin the sequence are held back until the next key tells. */
export class DetachWatcher {
  readonly #keys: Buffer;
  #matched = 0;

  constructor(keys: Buffer) {
    this.#keys = keys;
  }

  /** @returns bytes to pass on, and whether the sequence is complete; nothing behind it is passed on */
  push(chunk: Uint8Array): { readonly passed: Buffer; readonly detached: boolean } {
    const passed: number[] = [];
    for (const byte of chunk) {
      if (byte !== this.#keys[this.#matched] && this.#matched > 0) {
        passed.push(...this.#keys.subarray(0, this.#matched));
        this.#matched = 0;
      }
      if (byte !== this.#keys[this.#matched]) passed.push(byte);
      else if (++this.#matched === this.#keys.length) return { passed: Buffer.from(passed), detached: true };
    }
    return { passed: Buffer.from(passed), detached: false };
  }
}

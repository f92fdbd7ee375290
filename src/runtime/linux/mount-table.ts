import { readFileSync } from 'node:fs';

/** Mount points of this process's namespace below a folder, deepest first. */
export function mountsBelow(folder: string): string[] {
  return readFileSync('/proc/thread-self/mountinfo', 'latin1')
    .split('\n')
    .map((line) => unescapeOctal(line.split(' ')[4] ?? ''))
    .filter((target) => target.startsWith(`${folder}/`))
    .reverse();
}

function unescapeOctal(text: string): string {
  return Buffer.from(
    text.replace(/\\([0-7]{3})/g, (_match, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
    'latin1',
  ).toString('utf8');
}

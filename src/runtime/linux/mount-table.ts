import { readFileSync, realpathSync } from 'node:fs';

/** Mount points of this process's namespace below a folder, deepest first. */
export function mountsBelow(folder: string): string[] {
  return readFileSync('/proc/thread-self/mountinfo', 'latin1')
    .split('\n')
    .map((line) => unescapeOctal(line.split(' ')[4] ?? ''))
    .filter((target) => target.startsWith(`${folder}/`))
    .reverse();
}

/** Type of the file system that holds a path, which exists: `ext4`. */
export function fileSystemOf(path: string): string {
  const place = realpathSync(path);
  let [type, longest] = ['unknown', -1];
  for (const line of readFileSync('/proc/thread-self/mountinfo', 'latin1').split('\n')) {
    const [before, after] = line.split(' - ');
    const target = unescapeOctal(before?.split(' ')[4] ?? '');
    const holds = target === '/' || place === target || place.startsWith(`${target}/`);
    // Of mounts on one point, the last is seen.
    if (!after || !holds || target.length < longest) continue;
    longest = target.length;
    type = after.split(' ')[0] ?? type;
  }
  return type;
}

function unescapeOctal(text: string): string {
  return Buffer.from(
    text.replace(/\\([0-7]{3})/g, (_match, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
    'latin1',
  ).toString('utf8');
}

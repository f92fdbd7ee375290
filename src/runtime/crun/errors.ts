import { BerthError } from '../../errors/index.ts';

/**
 * What a runtime said when it could not start a command, as an error that a user understands. Kinds decide exit codes:
 * `not-found` is 127, `forbidden` 126, the rest 125. Both crun's and runc's wording are known. Pure.
 */
export function startError(said: string, argv: readonly string[]): BerthError {
  const text = plainText(said);
  const command = argv[0] ?? '';
  if (/executable file .*not found|exec: .*: (no such file|stat .*no such file)/i.test(text)) {
    const reason = command.includes('/')
      ? `stat ${command}: no such file or directory`
      : 'executable file not found in $PATH';
    return new BerthError('not-found', `exec: "${command}": ${reason}`);
  }
  if (/exec format error/i.test(text)) {
    return new BerthError('forbidden', `exec ${command}: exec format error`, {
      hint: 'it is built for another processor, or it is a script without a "#!" line',
    });
  }
  if (/open executable|exec: .*(permission denied|is a directory|not permitted)/i.test(text)) {
    return new BerthError('forbidden', `exec: "${command}": permission denied`, {
      hint: 'it must be a file with execute permission',
    });
  }
  if (/cgroups in hybrid mode/.test(text)) {
    return new BerthError('unavailable', 'crun does not run on this host: its cgroups are in hybrid mode', {
      hint: 'use the runtime runc, or boot with systemd.unified_cgroup_hierarchy=1',
    });
  }
  return new BerthError('invalid', `cannot start the container: ${text || 'the runtime gave no reason'}`);
}

/** True when a program started, then said by itself that the kernel refuses its file. */
export function isExecFormatFailure(lastOutput: string): boolean {
  return /^exec( container process)? .*exec format error\s*$/im.test(lastOutput);
}

/** The message of a log in text form: crun writes it bare, runc as `time=… level=error msg="…"`. */
function plainText(said: string): string {
  const lines = said
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const last = lines.findLast((line) => !/level=(warning|info|debug)/.test(line)) ?? '';
  const message = /msg="((?:[^"\\]|\\.)*)"/.exec(last)?.[1]?.replace(/\\(.)/g, '$1') ?? last;
  return message
    .replace(/^(runc \w+ failed|exec failed|OCI runtime error): /, '')
    .replace(/^unable to start container process: /, '');
}

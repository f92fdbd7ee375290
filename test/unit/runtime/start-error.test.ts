import { describe, expect, it } from 'vitest';
import { isExecFormatFailure, startError } from '../../../src/runtime/crun/errors.ts';

const runcLog = (message: string) => `time="2026-11-24T20:57:15Z" level=error msg=${JSON.stringify(message)}\n`;

describe('what a runtime says when it cannot start a command', () => {
  it.each([
    ['executable file `nosuch` not found in $PATH: No such file or directory\n'],
    [runcLog('runc run failed: unable to start container process: exec: "nosuch": executable file not found in $PATH')],
  ])('is not-found for a missing command: %s', (said) => {
    expect(startError(said, ['nosuch'])).toMatchObject({
      kind: 'not-found',
      message: 'exec: "nosuch": executable file not found in $PATH',
    });
  });

  it('names the path when the command is one', () => {
    const said = runcLog(
      'exec failed: unable to start container process: exec: "/no/such": stat /no/such: no such file or directory',
    );
    expect(startError(said, ['/no/such'])).toMatchObject({
      kind: 'not-found',
      message: 'exec: "/no/such": stat /no/such: no such file or directory',
    });
  });

  it.each([
    ['open executable: Permission denied\n'],
    ['open executable: Operation not permitted\n'],
    [runcLog('runc run failed: unable to start container process: exec: "/etc": permission denied')],
  ])('is forbidden for what may not be executed: %s', (said) => {
    expect(startError(said, ['/etc'])).toMatchObject({ kind: 'forbidden', message: 'exec: "/etc": permission denied' });
  });

  it('is forbidden for a file of another architecture', () => {
    const said = 'exec container process `/app`: Exec format error\n';
    expect(isExecFormatFailure(said)).toBe(true);
    expect(startError(said, ['/app'])).toMatchObject({ kind: 'forbidden', message: 'exec /app: exec format error' });
    expect(isExecFormatFailure('the tool said: exec format error happened\n')).toBe(false);
  });

  it('is passed on as it is, without the runtime in front, when it is something else', () => {
    const said = runcLog('runc create failed: unable to start container process: error mounting "/nope"');
    expect(startError(said, ['x'])).toMatchObject({
      kind: 'invalid',
      message: 'cannot start the container: error mounting "/nope"',
    });
    expect(startError('', ['x']).message).toBe('cannot start the container: the runtime gave no reason');
  });
});

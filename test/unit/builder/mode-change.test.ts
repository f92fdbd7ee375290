import { describe, expect, it } from 'vitest';
import { parseModeChange } from '../../../src/builder/plan/mode-change.ts';

const apply = (text: string, mode: number, isDirectory = false) => {
  const change = parseModeChange(text);
  return typeof change === 'function' ? change(mode, isDirectory) : change;
};

describe('--chmod', () => {
  it('takes an octal number up to 07777', () => {
    expect(parseModeChange('755')).toBe(0o755);
    expect(parseModeChange('04755')).toBe(0o4755);
    expect(parseModeChange('77777')).toBeUndefined();
    expect(parseModeChange('999')).toBeUndefined();
  });

  it.each([
    ['u=rwX,go=rX', 0o600, false, 0o644],
    ['u=rwX,go=rX', 0o700, false, 0o755],
    ['u=rwX,go=rX', 0o600, true, 0o755],
    ['+x', 0o644, false, 0o755],
    ['a-w', 0o666, false, 0o444],
    ['u+s', 0o755, false, 0o4755],
    ['g+s,+t', 0o755, false, 0o3755],
    ['g=u', 0o640, false, 0o660],
    ['o=', 0o777, false, 0o770],
    ['u=rw+x', 0o000, false, 0o700],
  ])('%s of %o is right', (text, mode, isDirectory, expected) => {
    expect(apply(text, mode, isDirectory)).toBe(expected);
  });

  it.each(['zz', '', 'u', '8', 'u=rw;', 'x+r'])('refuses %j', (text) => {
    expect(parseModeChange(text)).toBeUndefined();
  });
});

import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { prompt } from '../../../src/cli/streams/prompt.ts';

function terminal() {
  const raw: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => raw.push(on) });
  const stdout = new PassThrough();
  const signals = new EventEmitter();
  return { stdin, stdout, signals, raw, shown: () => String(stdout.read() ?? '') };
}

describe('a question at the terminal', () => {
  it('shows nothing of what is hidden', async () => {
    const place = terminal();
    const answer = prompt('Password: ', place, { hidden: true });
    place.stdin.write('swo\u007frd\u0015secret\r');
    expect(await answer).toBe('secret');
    expect(place.shown()).toBe('Password: \n');
    expect(place.raw).toEqual([true, false]);
  });

  it('shows what is not, and leaves what was typed ahead to the next', async () => {
    const place = terminal();
    place.stdin.write('berth\nswordfish\n');
    expect(await prompt('Username: ', place)).toBe('berth');
    expect(await prompt('Password: ', place, { hidden: true })).toBe('swordfish');
    expect(place.shown()).toBe('Username: berth\nPassword: \n');
  });

  it('gives the terminal back at Ctrl-C and at SIGTERM', async () => {
    for (const end of ['key', 'signal']) {
      const place = terminal();
      const answer = prompt('Password: ', place, { hidden: true });
      if (end === 'key') place.stdin.write('abc\u0003');
      else place.signals.emit('SIGTERM');
      await expect(answer).rejects.toMatchObject({ code: 130 });
      expect(place.raw).toEqual([true, false]);
      expect(place.signals.listenerCount('SIGTERM')).toBe(0);
    }
  });

  it('is not asked where nobody can answer', async () => {
    await expect(prompt('Username: ', { ...terminal(), stdin: new PassThrough() })).rejects.toThrow(
      'Cannot perform an interactive login from a non TTY device',
    );
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { commandLine, isRunning, signalProcess, startTicks } from '../../../src/linux/index.ts';

describe('identity of a process', () => {
  it('is its pid with its start time', async () => {
    const child = spawn('sleep', ['100']);
    await once(child, 'spawn');
    const identity = { pid: child.pid!, startTicks: startTicks(child.pid!)! };
    expect(isRunning(identity)).toBe(true);
    expect(commandLine(identity.pid)).toEqual(['sleep', '100']);
    expect(signalProcess({ ...identity, startTicks: '1' }, 9)).toBe(false);
    expect(signalProcess(identity, 9)).toBe(true);
    const [, signal] = await once(child, 'exit');
    expect(signal).toBe('SIGKILL');
    expect(isRunning(identity)).toBe(false);
    expect(signalProcess(identity, 9)).toBe(false);
  });

  it('is none for a pid that does not exist', () => {
    expect(startTicks(2 ** 22 + 1)).toBeUndefined();
    expect(commandLine(2 ** 22 + 1)).toEqual([]);
  });
});

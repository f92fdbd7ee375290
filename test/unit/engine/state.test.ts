import { describe, expect, it } from 'vitest';
import {
  type ContainerState,
  initialState,
  type StateChange,
  stateBody,
  statusText,
  transition,
} from '../../../src/engine/containers/state.ts';

const process = { pid: 7, startTicks: '1', supervisorPid: 8, bundle: '/b' };
const exit = { code: 3, oomKilled: false, at: '2026-01-01T00:01:00Z' };
const started: StateChange = { type: 'started', process, at: '2026-01-01T00:00:00Z' };
const changes: readonly StateChange[] = [
  started,
  { type: 'start-failed', code: 127, message: 'no such command' },
  { type: 'paused' },
  { type: 'resumed' },
  { type: 'exited', exit },
  { type: 'restart-awaited', exit },
  { type: 'removal-started' },
  { type: 'removal-failed', message: 'busy' },
];
const stateAfter = (...types: readonly StateChange['type'][]) =>
  types.reduce<ContainerState>(
    (state, type) => transition(state, changes.find((change) => change.type === type) as StateChange),
    initialState,
  );
const reachable: Readonly<Record<string, ContainerState>> = {
  created: initialState,
  running: stateAfter('started'),
  paused: stateAfter('started', 'paused'),
  restarting: stateAfter('started', 'restart-awaited'),
  exited: stateAfter('started', 'exited'),
  removing: stateAfter('removal-started'),
  dead: stateAfter('removal-started', 'removal-failed'),
};

/** Every change that may happen, and where it leads. */
const table: Readonly<Record<string, Partial<Record<StateChange['type'], string>>>> = {
  created: { started: 'running', 'start-failed': 'created', 'removal-started': 'removing' },
  running: { paused: 'paused', exited: 'exited', 'restart-awaited': 'restarting' },
  paused: { resumed: 'running', exited: 'exited' },
  restarting: { started: 'running', 'start-failed': 'exited', 'removal-started': 'removing' },
  exited: { started: 'running', 'start-failed': 'exited', 'removal-started': 'removing' },
  removing: { 'removal-started': 'removing', 'removal-failed': 'dead' },
  dead: { 'removal-started': 'removing' },
};

describe('the container state machine', () => {
  for (const [status, state] of Object.entries(reachable)) {
    for (const change of changes) {
      const target = table[status]?.[change.type];
      it(`${status} + ${change.type}: ${target ?? 'refused'}`, () => {
        if (target) expect(transition(state, change).status).toBe(target);
        else expect(() => transition(state, change)).toThrow(`a container that is ${status} cannot become`);
      });
    }
  }

  it('forgets the last exit at a start, and keeps when it was', () => {
    const state = transition(stateAfter('started', 'exited'), started);
    expect(state).toMatchObject({ exitCode: 0, error: '', finishedAt: exit.at });
  });
});

describe('the state that clients see', () => {
  it('has a process only while it runs', () => {
    expect(stateBody(stateAfter('started', 'paused'))).toMatchObject({ Running: true, Paused: true, Pid: 7 });
    expect(stateBody(stateAfter('started', 'exited'))).toMatchObject({ Running: false, Pid: 0, ExitCode: 3 });
  });

  it.each([
    ['created', 'Created'],
    ['running', 'Up 2 minutes'],
    ['paused', 'Up 2 minutes (Paused)'],
    ['restarting', 'Restarting (3) About a minute ago'],
    ['exited', 'Exited (3) About a minute ago'],
    ['removing', 'Removal In Progress'],
    ['dead', 'Dead'],
  ])('%s reads %s', (status, text) => {
    expect(statusText(reachable[status]!, Date.parse('2026-01-01T00:02:05Z'))).toBe(text);
  });
});

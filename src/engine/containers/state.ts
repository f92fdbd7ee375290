import type { ContainerStateBody, ContainerStatus } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import { humanDuration, parseRfc3339, zeroTime } from '../../units/index.ts';
import type { ExitStatus, RunningProcess } from '../ports.ts';

/** What the container's latest run left behind. Times are RFC 3339, `zeroTime` for never. */
interface History {
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly error: string;
}

/** Only a container that runs has a process. */
export type ContainerState =
  | ({ readonly status: 'running' | 'paused'; readonly process: RunningProcess } & History)
  | ({ readonly status: Exclude<ContainerStatus, 'running' | 'paused'> } & History);

export type StateChange =
  | { readonly type: 'started'; readonly process: RunningProcess; readonly at: string }
  | { readonly type: 'start-failed'; readonly code: number; readonly message: string }
  | { readonly type: 'paused' }
  | { readonly type: 'resumed' }
  | { readonly type: 'exited'; readonly exit: ExitStatus; readonly error?: string }
  | { readonly type: 'restart-awaited'; readonly exit: ExitStatus }
  | { readonly type: 'removal-started' }
  | { readonly type: 'removal-failed'; readonly message: string };

export const initialState: ContainerState = {
  status: 'created',
  startedAt: zeroTime,
  finishedAt: zeroTime,
  exitCode: 0,
  oomKilled: false,
  error: '',
};

/** From which statuses each change may happen. */
const ALLOWED: Readonly<Record<StateChange['type'], readonly ContainerStatus[]>> = {
  started: ['created', 'exited', 'restarting'],
  'start-failed': ['created', 'exited', 'restarting'],
  paused: ['running'],
  resumed: ['paused'],
  exited: ['running', 'paused'],
  'restart-awaited': ['running'],
  'removal-started': ['created', 'exited', 'restarting', 'dead', 'removing'],
  'removal-failed': ['removing'],
};

/**
 * The state after a change. Pure.
 * @throws BerthError `conflict` when the change cannot happen in this state
 */
export function transition(state: ContainerState, change: StateChange): ContainerState {
  if (!ALLOWED[change.type].includes(state.status)) {
    throw new BerthError('conflict', `a container that is ${state.status} cannot become ${TARGETS[change.type]}`);
  }
  const { startedAt, finishedAt, exitCode, oomKilled, error } = state;
  const history: History = { startedAt, finishedAt, exitCode, oomKilled, error };
  switch (change.type) {
    case 'started':
      return {
        status: 'running',
        process: change.process,
        startedAt: change.at,
        finishedAt,
        exitCode: 0,
        oomKilled: false,
        error: '',
      };
    case 'start-failed':
      return {
        ...history,
        status: state.status === 'created' ? 'created' : 'exited',
        exitCode: change.code,
        error: change.message,
      };
    case 'paused':
    case 'resumed':
      return { ...history, status: change.type === 'paused' ? 'paused' : 'running', process: processOf(state)! };
    case 'exited':
      return { ...afterExit(history, change.exit), status: 'exited', error: change.error ?? '' };
    case 'restart-awaited':
      return { ...afterExit(history, change.exit), status: 'restarting' };
    case 'removal-started':
      return { ...history, status: 'removing' };
    case 'removal-failed':
      return { ...history, status: 'dead', error: change.message };
  }
}

const TARGETS: Readonly<Record<StateChange['type'], string>> = {
  started: 'running',
  'start-failed': 'created',
  paused: 'paused',
  resumed: 'running',
  exited: 'exited',
  'restart-awaited': 'restarting',
  'removal-started': 'removed',
  'removal-failed': 'dead',
};

function afterExit(history: History, exit: ExitStatus): History {
  return { ...history, exitCode: exit.code, oomKilled: exit.oomKilled, finishedAt: exit.at };
}

export function processOf(state: ContainerState): RunningProcess | undefined {
  return 'process' in state ? state.process : undefined;
}

/** True while there is a main process, stopped by the freezer or not. */
export function isActive(state: ContainerState): state is Extract<ContainerState, { process: RunningProcess }> {
  return 'process' in state;
}

/** `State` of an inspect. */
export function stateBody(state: ContainerState): ContainerStateBody {
  return {
    Status: state.status,
    Running: isActive(state) || state.status === 'restarting',
    Paused: state.status === 'paused',
    Restarting: state.status === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: state.status === 'dead',
    Pid: processOf(state)?.pid ?? 0,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt,
    FinishedAt: state.finishedAt,
  };
}

/** The STATUS column of `ps`. Pure. */
export function statusText(state: ContainerState, nowMs: number): string {
  switch (state.status) {
    case 'created':
      return 'Created';
    case 'running':
      return `Up ${elapsed(state.startedAt, nowMs)}`;
    case 'paused':
      return `Up ${elapsed(state.startedAt, nowMs)} (Paused)`;
    case 'restarting':
      return `Restarting (${state.exitCode}) ${elapsed(state.finishedAt, nowMs)} ago`;
    case 'exited':
      return `Exited (${state.exitCode}) ${elapsed(state.finishedAt, nowMs)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
  }
}

function elapsed(since: string, nowMs: number): string {
  return humanDuration(Math.max(0, nowMs - (parseRfc3339(since) ?? nowMs)));
}

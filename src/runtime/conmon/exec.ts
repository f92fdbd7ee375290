import { startTicks } from '../../linux/index.ts';
import type { ExecProcess, ProcessStreams } from '../container/streams.ts';
import type { RuntimeProgram } from '../crun/invoke.ts';
import { attachStreams } from './attach.ts';
import { ExitWatch } from './exits.ts';
import { launch } from './launch.ts';
import { resizeTerminal } from './supervisor.ts';

export interface TerminalExec {
  readonly containerId: string;
  /** Folder of this exec alone, with `process.json`. */
  readonly bundle: string;
  readonly argv: readonly string[];
  readonly stdin: boolean;
}

/**
 * Runs a process in a running container on a terminal, which a supervisor of its own holds.
 * @throws BerthError when the command cannot be started
 */
export async function execWithTerminal(
  conmon: string,
  program: RuntimeProgram,
  exec: TerminalExec,
): Promise<ExecProcess> {
  // Exit files are named by container: an exec needs a folder of its own, or it would overwrite the container's.
  const exitFolder = `${exec.bundle}/exits`;
  const exits = new ExitWatch(exitFolder);
  let streams: ProcessStreams | undefined;
  try {
    const supervised = await launch(conmon, program, {
      containerId: exec.containerId,
      bundle: exec.bundle,
      exitFolder,
      tty: true,
      stdin: exec.stdin,
      leaveStdinOpen: false,
      logPath: undefined,
      exec: {
        specPath: `${exec.bundle}/process.json`,
        onAttachable: () => {
          streams = tryAttach(exec.bundle);
        },
      },
      argv: exec.argv,
    });
    const process = { ...supervised, bundle: exec.bundle, startTicks: startTicks(supervised.pid) ?? '' };
    const exited = exits.wait(exec.containerId, process).then(({ code }) => {
      exits.close();
      return code;
    });
    return {
      pid: supervised.pid,
      streams: streams ?? attachStreams(exec.bundle),
      exited,
      resize: async (rows, columns) => resizeTerminal(exec.bundle, rows, columns),
    };
  } catch (error) {
    streams?.close();
    exits.close();
    throw error;
  }
}

function tryAttach(bundle: string): ProcessStreams | undefined {
  try {
    return attachStreams(bundle);
  } catch {
    // Tried again, and reported, once the process is known to run.
    return undefined;
  }
}

/** What a command may touch of the world, so that tests run commands without a process of their own. */
export interface CliEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly signals: SignalSource;
  readonly hosts: EngineHosts;
}

export interface InputStream extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
}

export interface OutputStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** `process`, as far as signals and terminal resizes go. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

/**
 * The engine of this machine, seen from the client. Implementations are loaded on first use: a command that finds a
 * running engine never pays for them.
 */
export interface EngineHosts {
  /** Starts the local engine when there is none and waits until it answers. @returns its host, as `unix:///run/berth/berth.sock` */
  ensureEngine(): Promise<string>;
  /** Runs an engine in this process until it is told to stop. @returns exit code */
  runEngine(args: readonly string[]): Promise<number>;
  /** What this machine can do for containers. */
  doctor(): Promise<readonly Capability[]>;
}

export interface Capability {
  readonly name: string;
  readonly ok: boolean;
  /** `limited`: it is there in part; the advice tells what else to do. */
  readonly status?: 'ok' | 'limited' | 'missing';
  /** What was found: a version, a path, or what is missing. */
  readonly detail: string;
  /** What to do when it is missing. */
  readonly advice?: string;
  /** Nothing works without it. */
  readonly required?: boolean;
}

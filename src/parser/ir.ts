import type { Span } from '../diagnostics/index.ts';

/**
 * The instruction IR: what a Dockerfile says, before any variable is expanded.
 * Every word keeps its span; expansion happens in the planner, where the scope is known.
 */

/** A word as written (quotes and variables kept), after line continuations were joined. */
export interface Word {
  readonly text: string;
  readonly span: Span;
}

/** Shell form: the text goes to the SHELL. Exec form: the JSON array, decoded. */
export type Command =
  | { readonly form: 'shell'; readonly text: Word }
  | { readonly form: 'exec'; readonly argv: readonly Word[] };

/** @see BuildKit parser, "heredoc" */
export interface Heredoc {
  readonly name: string;
  readonly fd: number;
  /** Variables are expanded when the delimiter was not quoted. */
  readonly expand: boolean;
  /** `<<-`: leading tabs of each body line are dropped when used. */
  readonly chomp: boolean;
  /** Raw body, tabs kept, with its final newline. */
  readonly content: string;
  readonly span: Span;
}

export interface KeyValue {
  readonly key: Word;
  readonly value: Word;
}

interface Common {
  readonly span: Span;
  /** The instruction name as written. */
  readonly keyword: Word;
  /** Comment lines above, without `#`; blank lines between them do not count, a lone `#` starts anew. */
  readonly comments: readonly string[];
  /** The whole instruction on one line, as history and progress show it. */
  readonly original: string;
  /** Blank lines between the instruction's own, each with its line end; absent when there are none. */
  readonly emptyLines?: readonly Span[];
  readonly heredocs: readonly Heredoc[];
}

/** One option of `RUN --mount`; values are unexpanded. */
export interface Mount {
  readonly span: Span;
  readonly type: 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';
  /** Options in order, keys lower-cased, aliases resolved (`src` to `source`, `dst` to `target`). */
  readonly options: readonly { readonly key: string; readonly value: Word | null }[];
}

export type Instruction =
  | FromInstruction
  | RunInstruction
  | CopyInstruction
  | AddInstruction
  | (Common & { readonly kind: 'env'; readonly pairs: readonly KeyValue[]; readonly legacy: boolean })
  | (Common & { readonly kind: 'label'; readonly pairs: readonly KeyValue[]; readonly legacy: boolean })
  | ArgInstruction
  | (Common & { readonly kind: 'workdir'; readonly path: Word })
  | (Common & { readonly kind: 'user'; readonly user: Word })
  | (Common & { readonly kind: 'expose'; readonly ports: readonly Word[] })
  | (Common & { readonly kind: 'volume'; readonly paths: readonly Word[] })
  | (Common & { readonly kind: 'cmd'; readonly command: Command })
  | (Common & { readonly kind: 'entrypoint'; readonly command: Command })
  | (Common & { readonly kind: 'shell'; readonly argv: readonly Word[] })
  | (Common & { readonly kind: 'stopsignal'; readonly signal: Word })
  | HealthcheckInstruction
  | (Common & { readonly kind: 'maintainer'; readonly name: Word })
  | (Common & { readonly kind: 'onbuild'; readonly instruction: Instruction; readonly text: Word });

export type FromInstruction = Common & {
  readonly kind: 'from';
  readonly image: Word;
  readonly platform?: Word;
  /** `AS name`, lower-cased in `name`; `as` is the keyword as written. */
  readonly alias?: { readonly name: string; readonly word: Word; readonly as: Word };
};

export type ArgInstruction = Common & {
  readonly kind: 'arg';
  readonly args: readonly { readonly name: Word; readonly value?: Word }[];
};

export type RunInstruction = Common & {
  readonly kind: 'run';
  readonly command: Command;
  readonly mounts: readonly Mount[];
  readonly network?: Word;
  readonly security?: Word;
  readonly devices: readonly Word[];
};

interface Transfer extends Common {
  readonly sources: readonly Word[];
  readonly dest: Word;
  readonly chown?: Word;
  readonly chmod?: Word;
  readonly link: boolean;
  readonly excludes: readonly Word[];
}

export type CopyInstruction = Transfer & { readonly kind: 'copy'; readonly from?: Word; readonly parents: boolean };

export type AddInstruction = Transfer & {
  readonly kind: 'add';
  readonly checksum?: Word;
  readonly keepGitDir: boolean;
  readonly unpack?: boolean;
};

export type HealthcheckInstruction = Common & {
  readonly kind: 'healthcheck';
  /** Null for `HEALTHCHECK NONE`. */
  readonly command: Command | null;
  readonly interval?: Word;
  readonly timeout?: Word;
  readonly startPeriod?: Word;
  readonly startInterval?: Word;
  readonly retries?: Word;
};

export interface Directive {
  readonly name: 'syntax' | 'escape' | 'check';
  readonly value: string;
  readonly span: Span;
}

/** One FROM and what follows it. */
export interface Stage {
  readonly index: number;
  readonly name?: string;
  readonly from: FromInstruction;
  readonly instructions: readonly Instruction[];
}

export interface Dockerfile {
  readonly escape: '\\' | '`';
  readonly directives: readonly Directive[];
  /** ARGs before the first FROM. */
  readonly globalArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
}

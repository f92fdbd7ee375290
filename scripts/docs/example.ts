/** What a page shows of one code, kept by hand. A test runs both texts. */
export interface Example {
  /** Why it matters, for a reader who has never seen Docker. */
  readonly why: string;
  readonly wrong: string;
  readonly right: string;
  readonly options?: ExampleOptions;
}

export interface ExampleOptions {
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly target?: string;
  /** Platform that is built for. */
  readonly platform?: string;
  /** Platform of every base image. */
  readonly imagePlatform?: string;
  /** Triggers of every base image. */
  readonly imageTriggers?: readonly string[];
  /** Text of `.dockerignore`. */
  readonly ignore?: string;
  /** The texts are changes of the command line, as in `docker commit --change`. */
  readonly asChange?: true;
  /** Only seen once a build runs, so that the test does not give it the texts. */
  readonly onlyInBuilds?: true;
}

/** A Dockerfile below `FROM alpine`. */
export const below = (...lines: readonly string[]) => `${['FROM alpine:3.20', ...lines].join('\n')}\n`;

/** A whole Dockerfile. */
export const file = (...lines: readonly string[]) => `${lines.join('\n')}\n`;

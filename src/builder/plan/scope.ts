const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'];

/**
 * The variables of one stage: ENV and ARG write into one environment, in the order of the Dockerfile, and RUN sees it.
 * The names that came from ARG are kept apart, because history lists them.
 * @see facts: BuildKit reference cases `arg-after-env`, `run-args-history`
 */
export class Scope {
  readonly #values: Map<string, string>;
  readonly #args: Map<string, string>;

  constructor(values: Iterable<readonly [string, string]> = [], args: Iterable<readonly [string, string]> = []) {
    this.#values = new Map(values);
    this.#args = new Map(args);
  }

  /** A copy for a stage that is based on this one. */
  fork(): Scope {
    return new Scope(this.#values, this.#args);
  }

  readonly lookup = (name: string): string | undefined => this.#values.get(name);

  setEnv(name: string, value: string): void {
    this.#values.set(name, value);
  }

  /** An ARG without any value is declared all the same: history shows it as empty. */
  declareArg(name: string, value: string | undefined): void {
    this.#args.set(name, value ?? '');
    if (value !== undefined) this.#values.set(name, value);
  }

  isArg(name: string): boolean {
    return this.#args.has(name);
  }

  /** `NAME=value` of everything that RUN sees. */
  environment(): string[] {
    return [...this.#values].map(([name, value]) => `${name}=${value}`);
  }

  /** `NAME=effective value` of the declared ARGs. */
  args(): string[] {
    return [...this.#args].map(([name, value]) => `${name}=${this.#values.get(name) ?? value}`);
  }
}

/**
 * Proxy settings reach every RUN without being declared, in both cases, and are in no key and no history.
 * @see Docker reference, "Predefined ARGs"
 */
export function proxyEnvironment(buildArgs: Readonly<Record<string, string>>): string[] {
  return Object.entries(buildArgs)
    .filter(([name]) => PROXIES.includes(name.toUpperCase()))
    .flatMap(([name, value]) => [`${name.toUpperCase()}=${value}`, `${name.toLowerCase()}=${value}`]);
}

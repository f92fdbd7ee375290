import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { compileFilter } from '../linux/seccomp-filter.ts';
import type { OciConfig, OciSeccomp } from '../spec/oci-config.ts';

/** crun takes a compiled filter from here and then leaves the profile in the config alone. @see crun(1) */
const filterAnnotation = 'run.oci.seccomp_bpf_data';

/**
 * Compiled seccomp filters, one per distinct profile, kept in memory and in a folder. The profile itself stays in the
 * config: a runtime that does not know the annotation applies that.
 */
export class SeccompFilters {
  readonly #folder: string;
  readonly #log: (line: string) => void;
  readonly #compiled = new Map<string, string>();

  constructor(folder: string, log: (line: string) => void) {
    this.#folder = folder;
    this.#log = log;
  }

  /** The config with its filter attached, as it is when there is none or it cannot be compiled here. */
  attach(config: OciConfig): OciConfig {
    const profile = config.linux.seccomp;
    if (!profile) return config;
    const text = JSON.stringify(profile);
    let data = this.#compiled.get(text);
    if (data === undefined) {
      data = this.#load(profile, `${this.#folder}/${createHash('sha256').update(text).digest('hex')}.bpf`);
      this.#compiled.set(text, data);
    }
    return data === '' ? config : { ...config, annotations: { ...config.annotations, [filterAnnotation]: data } };
  }

  #load(profile: OciSeccomp, file: string): string {
    if (existsSync(file)) return readFileSync(file).toString('base64');
    const filter = compileFilter(profile);
    if (!filter) {
      this.#log('libseccomp.so.2 cannot be used: every container start compiles its filter anew, which takes longer');
      return '';
    }
    this.#keep(file, filter);
    return filter.toString('base64');
  }

  /** A full disk costs the time to compile it again, no more. */
  #keep(file: string, filter: Buffer): void {
    const unfinished = `${file}.${process.pid}`;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      writeFileSync(unfinished, filter, { flush: true });
      renameSync(unfinished, file);
    } catch {
      rmSync(unfinished, { force: true });
    }
  }
}

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { compileFilter } from '../linux/seccomp-filter.ts';
import type { OciConfig } from '../spec/oci-config.ts';

/** crun takes a compiled filter from here and then leaves the profile in the config alone. @see crun(1) */
const filterAnnotation = 'run.oci.seccomp_bpf_data';

/**
 * Compiled seccomp filters, one per distinct profile, kept in memory and in a folder. The profile itself stays in the
 * config: a runtime that does not know the annotation applies that.
 */
export class SeccompFilters {
  readonly #folder: string;
  readonly #compiled = new Map<string, string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The config with its filter attached, as it is when there is none or it cannot be compiled here. */
  attach(config: OciConfig): OciConfig {
    if (!config.linux.seccomp) return config;
    const text = JSON.stringify(config.linux.seccomp);
    let data = this.#compiled.get(text);
    if (data === undefined) {
      data = this.#load(createHash('sha256').update(text).digest('hex'), config);
      this.#compiled.set(text, data);
    }
    return data === '' ? config : { ...config, annotations: { ...config.annotations, [filterAnnotation]: data } };
  }

  #load(key: string, config: OciConfig): string {
    const file = `${this.#folder}/${key}.bpf`;
    if (existsSync(file)) return readFileSync(file).toString('base64');
    const filter = compileFilter(config.linux.seccomp!);
    if (!filter) return '';
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const unfinished = `${file}.${process.pid}`;
    writeFileSync(unfinished, filter);
    renameSync(unfinished, file);
    return filter.toString('base64');
  }
}

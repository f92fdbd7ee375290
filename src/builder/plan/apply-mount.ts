import { posix } from 'node:path';
import type { Mount, RunInstruction, Word } from '../../parser/ir.ts';
import { parseSize } from '../../units/index.ts';
import { finding } from '../findings.ts';
import type { CacheMount, ExecMount, SecretMount, TreeSource } from './graph.ts';
import type { Applying } from './stage-state.ts';

const SECRETS = '/run/secrets';
const AGENTS = '/run/buildkit/ssh_agent';
const SHARINGS = ['shared', 'private', 'locked'] as const;

/** The mounts of a RUN. */
export function mountsOf(applying: Applying<RunInstruction>): ExecMount[] {
  return applying.instruction.mounts.flatMap((mount, index) => new MountReader(applying, mount, index).read() ?? []);
}

class MountReader {
  readonly #applying: Applying<RunInstruction>;
  readonly #mount: Mount;
  readonly #index: number;
  readonly #options: ReadonlyMap<string, Word | null>;

  constructor(applying: Applying<RunInstruction>, mount: Mount, index: number) {
    this.#applying = applying;
    this.#mount = mount;
    this.#index = index;
    this.#options = new Map(mount.options.map(({ key, value }) => [key, value] as const));
  }

  read(): ExecMount | undefined {
    switch (this.#mount.type) {
      case 'bind':
        return this.#bind();
      case 'tmpfs':
        return this.#tmpfs();
      case 'cache':
        return this.#cache();
      case 'secret':
        return this.#secret();
      case 'ssh':
        return this.#ssh();
    }
  }

  #bind(): ExecMount | undefined {
    const target = this.#target(this.#text('target') ?? '');
    const from = this.#from({ kind: 'context' });
    if (!from || target === undefined) return undefined;
    return { type: 'bind', from, source: this.#source(), target, readonly: this.#isReadonly(true) };
  }

  #tmpfs(): ExecMount | undefined {
    const target = this.#target(this.#text('target') ?? '');
    const size = this.#text('size');
    if (target === undefined) return undefined;
    if (size === undefined) return { type: 'tmpfs', target };
    try {
      return { type: 'tmpfs', target, sizeBytes: parseSize(size) };
    } catch {
      return this.#refuse(`invalid size: ${size}`, 'write bytes, or a number with k, m or g');
    }
  }

  #cache(): CacheMount | undefined {
    const written = this.#text('target') ?? '';
    const target = this.#target(written);
    const from = this.#from({ kind: 'empty' });
    const sharing = this.#text('sharing')?.toLowerCase() ?? 'shared';
    const known = SHARINGS.find((name) => name === sharing);
    if (known === undefined) return this.#refuse(`unknown sharing: ${sharing}`, `use ${SHARINGS.join(', ')}`);
    if (target === undefined || !from) return undefined;
    const id = this.#text('id') || posix.normalize(written || '.');
    const namespace = this.#applying.stage.planning.options.buildArgs['BUILDKIT_CACHE_MOUNT_NS'];
    return {
      type: 'cache',
      id: namespace ? `${namespace}/${id}` : id,
      target,
      sharing: known,
      readonly: this.#isReadonly(false),
      from,
      source: this.#source(),
      ...this.#owned(0o755),
    };
  }

  #secret(): SecretMount | undefined {
    const wanted = this.#text('target') ?? '';
    const env = this.#text('env');
    const id = this.#text('id') || this.#text('source') || posix.basename(wanted);
    if (id === '') return this.#refuse('a secret needs an id', 'add id=NAME');
    const isFile = wanted !== '' || !env;
    const target = isFile ? this.#target(wanted || `${SECRETS}/${posix.basename(id)}`) : undefined;
    if (isFile && target === undefined) return undefined;
    return {
      type: 'secret',
      id,
      ...(target === undefined ? {} : { target }),
      ...(env ? { env } : {}),
      required: this.#isOn('required'),
      ...this.#owned(0o400),
    };
  }

  #ssh(): ExecMount | undefined {
    const target = this.#target(this.#text('target') || `${AGENTS}.${this.#index}`);
    if (target === undefined) return undefined;
    const id = this.#text('id') || 'default';
    return { type: 'ssh', id, target, required: this.#isOn('required'), ...this.#owned(0o600) };
  }

  #text(key: string): string | undefined {
    const word = this.#options.get(key);
    return word ? this.#applying.words.one(word) : undefined;
  }

  /** Absolute, joined to WORKDIR. Undefined after a report. */
  #target(written: string): string | undefined {
    const target = posix.resolve('/', this.#applying.stage.config.WorkingDir || '/', written);
    if (target !== '/') return target;
    if (written === '') return this.#refuse('a mount needs a target', 'add target=/path');
    return this.#refuse('a mount cannot cover /');
  }

  #source(): string {
    return posix.normalize(`/${this.#text('source') ?? ''}`);
  }

  #from(otherwise: TreeSource): TreeSource | undefined {
    const word = this.#options.get('from');
    const { planning, index } = this.#applying.stage;
    return word ? planning.source(word, index) : otherwise;
  }

  #owned(mode: number): { mode: number; uid: number; gid: number } {
    return {
      mode: this.#number('mode', 8) ?? mode,
      uid: this.#number('uid', 10) ?? 0,
      gid: this.#number('gid', 10) ?? 0,
    };
  }

  #number(key: string, base: 8 | 10): number | undefined {
    const text = this.#text(key);
    if (text === undefined || text === '') return undefined;
    const value = (base === 8 ? /^[0-7]{1,7}$/ : /^\d{1,10}$/).test(text) ? Number.parseInt(text, base) : Number.NaN;
    const limit = base === 8 ? 0o7777 : 0xffff_fffe;
    if (value <= limit) return value;
    return this.#refuse(`${text} is not a ${key}`, base === 8 ? 'write an octal number, as 0755' : 'write a number');
  }

  #isReadonly(otherwise: boolean): boolean {
    let readonly = otherwise;
    for (const key of this.#options.keys()) {
      if (key === 'readwrite') readonly = !this.#isOn(key);
      if (key === 'readonly') readonly = this.#isOn(key);
    }
    return readonly;
  }

  /** A switch without a value is on. */
  #isOn(key: string): boolean {
    return this.#options.has(key) && /^(1|t|true|)$/i.test(this.#text(key) ?? '');
  }

  #refuse(message: string, hint?: string): undefined {
    this.#applying.stage.planning.report(finding('build/bad-mount', this.#mount.span, message, hint));
    return undefined;
  }
}

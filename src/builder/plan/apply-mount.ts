import { posix } from 'node:path';
import type { Mount, RunInstruction, Word } from '../../parser/ir.ts';
import { parseSize } from '../../units/index.ts';
import { finding } from '../findings.ts';
import type { ExecMount } from './graph.ts';
import type { Applying } from './stage-state.ts';

/** The mounts of a RUN. What cannot be had yet is an error, never left out. */
export function mountsOf(applying: Applying<RunInstruction>): ExecMount[] {
  return applying.instruction.mounts.flatMap((mount) => mountOf(applying, mount) ?? []);
}

function mountOf(applying: Applying<RunInstruction>, mount: Mount): ExecMount | undefined {
  const { stage, words } = applying;
  const { report } = stage.planning;
  if (mount.type !== 'bind' && mount.type !== 'tmpfs') {
    report(finding('build/not-supported-yet', mount.span, `RUN --mount=type=${mount.type} is not supported yet`));
    return undefined;
  }
  const options = new Map(mount.options.map(({ key, value }) => [key, value] as const));
  const text = (key: string): string | undefined => {
    const word = options.get(key);
    return word ? words.one(word) : undefined;
  };
  const wanted = text('target');
  if (wanted === undefined || wanted === '') {
    report(finding('build/bad-mount', mount.span, 'a mount needs a target', 'add target=/path'));
    return undefined;
  }
  const target = posix.resolve(stage.config.WorkingDir || '/', wanted);
  if (target === '/') {
    report(finding('build/bad-mount', mount.span, 'a mount cannot cover /'));
    return undefined;
  }
  if (mount.type === 'tmpfs') return tmpfsOf(applying, mount, target, text('size'));
  const readonly = isReadonly(options);
  const fromWord = options.get('from');
  const from = fromWord ? stage.planning.source(fromWord, stage.index) : ({ kind: 'context' } as const);
  if (!from) return undefined;
  return { type: 'bind', from, source: posix.normalize(`/${text('source') ?? ''}`), target, readonly };
}

function tmpfsOf({ stage }: Applying, mount: Mount, target: string, size: string | undefined): ExecMount {
  if (size === undefined) return { type: 'tmpfs', target };
  try {
    return { type: 'tmpfs', target, sizeBytes: parseSize(size) };
  } catch {
    stage.planning.report(
      finding('build/bad-mount', mount.span, `invalid size: ${size}`, 'write bytes, or a number with k, m or g'),
    );
    return { type: 'tmpfs', target };
  }
}

/** Bind mounts are read-only unless `rw` says otherwise. */
function isReadonly(options: ReadonlyMap<string, Word | null>): boolean {
  let readonly = true;
  for (const [key, value] of options) {
    const on = value === null || value.text === '' || value.text.toLowerCase() === 'true' || value.text === '1';
    if (key === 'rw' || key === 'readwrite') readonly = !on;
    if (key === 'ro' || key === 'readonly') readonly = on;
  }
  return readonly;
}

import type { Dockerfile, Instruction } from '../ir.ts';

/** One stage, as `--call targets` lists it. */
export interface Target {
  readonly name?: string;
  readonly index: number;
  /** The stage that is built when no target is named. */
  readonly isDefault: boolean;
  readonly description?: string;
  /** The image or stage that it is based on, as written. */
  readonly base: string;
  readonly platform?: string;
  readonly instruction: Instruction;
}

/** The stages of a file in order. Pure. */
export function listTargets({ stages }: Dockerfile): Target[] {
  return stages.map(({ index, name, from }) => {
    const description = name === undefined ? undefined : describe(from, name);
    return {
      ...(name === undefined ? {} : { name }),
      index,
      isDefault: index === stages.length - 1,
      ...(description === undefined ? {} : { description }),
      base: from.image.text,
      ...(from.platform ? { platform: from.platform.text } : {}),
      instruction: from,
    };
  });
}

/** The comment above that begins with the name, without it. */
export function describe({ comments }: Pick<Instruction, 'comments'>, name: string): string | undefined {
  const comment = comments.find((text) => text.startsWith(`${name} `));
  return comment?.slice(name.length + 1).trim();
}

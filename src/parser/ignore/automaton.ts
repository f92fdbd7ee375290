import { type CharacterClass, inClass } from './character-class.ts';

/**
 * One state of a glob. `star` is `*`; `enter` and `loop` are the two halves of a `**` that stands before more
 * (`(.*\/)?`); `rest` takes anything (`.*`).
 */
export type Step =
  | { readonly kind: 'literal'; readonly char: string }
  | { readonly kind: 'class'; readonly members: CharacterClass }
  | { readonly kind: 'any' | 'star' | 'enter' | 'loop' | 'rest' };

/** Follows all ways at once, so that no pattern is slower than its length times that of the path. */
export function runAutomaton(steps: readonly Step[], path: string): ReadonlySet<number> {
  let states = withSkips(new Set([0]), steps);
  for (const char of path) {
    const next = new Set<number>();
    for (const state of states) advance(steps[state], state, char, next);
    states = withSkips(next, steps);
    if (states.size === 0) break;
  }
  return states;
}

export function matchesWhole(steps: readonly Step[], path: string): boolean {
  return runAutomaton(steps, path).has(steps.length);
}

function advance(step: Step | undefined, state: number, char: string, next: Set<number>): void {
  switch (step?.kind) {
    case 'literal':
      if (step.char === char) next.add(state + 1);
      return;
    case 'class':
      if (inClass(step.members, char)) next.add(state + 1);
      return;
    case 'any':
      if (char !== '/') next.add(state + 1);
      return;
    case 'star':
      if (char !== '/') next.add(state);
      return;
    case 'loop':
      next.add(state);
      if (char === '/') next.add(state + 1);
      return;
    case 'rest':
      next.add(state);
      return;
    default:
  }
}

/** Adds the states that are reached without a character. A set visits what is added while it is walked. */
function withSkips(states: Set<number>, steps: readonly Step[]): Set<number> {
  for (const state of states) {
    const kind = steps[state]?.kind;
    if (kind === 'star' || kind === 'rest') states.add(state + 1);
    else if (kind === 'enter') {
      states.add(state + 1);
      states.add(state + 2);
    }
  }
  return states;
}

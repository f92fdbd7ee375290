import type { BuildEvent, VertexInfo } from '../../../builder/events.ts';
import { familiarName, hexOf, type ImageId, parseReference } from '../../../oci/index.ts';

export interface Narrator {
  tell(event: BuildEvent): void;
  /** Says what was kept back. */
  flush(): void;
  /** The last lines of a build that succeeded. */
  ending(image: ImageId): readonly string[];
}

/**
 * Tells a build as the classic builder did, one step after the other. Steps run side by side here: the one that began
 * first speaks, the others wait for their turn.
 */
export function narrateClassic(say: (text: string) => void): Narrator {
  const steps = new Map<string, string>();
  /** Steps that have begun, first one live, with the text of the others. */
  const turns: { readonly vertex: string; readonly kept: string[]; done: boolean }[] = [];
  let names: readonly string[] = [];

  const begin = (vertex: string) => {
    const heading = steps.get(vertex);
    if (heading === undefined || turns.some((turn) => turn.vertex === vertex)) return;
    turns.push({ vertex, kept: [], done: false });
    speak(vertex, heading);
  };
  const speak = (vertex: string, text: string) => {
    const turn = turns.find((candidate) => candidate.vertex === vertex);
    if (!turn || turn === turns[0]) say(text);
    else turn.kept.push(text);
  };
  const finish = (vertex: string) => {
    const turn = turns.find((candidate) => candidate.vertex === vertex);
    if (turn) turn.done = true;
    while (turns[0]?.done) {
      turns.shift();
      for (const text of turns[0]?.kept.splice(0) ?? []) say(text);
    }
  };

  return {
    tell(event) {
      switch (event.type) {
        case 'pulling':
          return say(`${event.text}\n`);
        case 'started':
          for (const [vertex, heading] of headings(event.vertices)) steps.set(vertex, heading);
          return;
        case 'vertex-started':
          return begin(event.vertex);
        case 'vertex-cached':
          begin(event.vertex);
          if (steps.has(event.vertex)) speak(event.vertex, ' ---> Using cache\n');
          return finish(event.vertex);
        case 'vertex-log':
          return speak(event.vertex, event.text);
        case 'vertex-finished':
        case 'vertex-failed':
          return finish(event.vertex);
        case 'diagnostic':
          return say(isCheck(event) ? `[Warning] ${event.frame.split('\n', 1)[0]}\n` : `${event.frame}\n`);
        case 'exported':
          names = event.names;
          return;
        case 'vertex-missed':
          return;
      }
    },
    flush() {
      for (const turn of turns.splice(0)) for (const text of turn.kept) say(text);
    },
    ending(image) {
      const tagged = names.map((name) => `Successfully tagged ${familiarName(parseReference(name))}\n`);
      return [`Successfully built ${hexOf(image).slice(0, 12)}\n`, ...tagged];
    },
  };
}

/** One line is enough for what does not stop a build. */
function isCheck({ diagnostic: { code, severity } }: Extract<BuildEvent, { type: 'diagnostic' }>): boolean {
  return severity === 'warning' && code.startsWith('check/');
}

/** `Step 2/5 : RUN make` for each vertex that is an instruction. */
function headings(vertices: readonly VertexInfo[]): [string, string][] {
  const instructions = vertices.filter((vertex) => vertex.line !== undefined);
  return instructions.map(({ id, name }, index) => [
    id,
    `Step ${index + 1}/${instructions.length} : ${name.replace(/^\[[^\]]*\] /, '')}\n`,
  ]);
}

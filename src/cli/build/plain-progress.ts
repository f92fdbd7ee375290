import type { BuildEvent } from '../../builder/events.ts';
import { emptyView, reduceView, type VertexView } from '../../builder/view.ts';
import { familiarName, parseReference } from '../../oci/index.ts';
import type { PaintRole } from '../paint.ts';
import type { Progress } from './progress.ts';
import { seconds, visibleLine } from './text.ts';

/**
 * Progress as lines, for files and pipes. Every line has the number of its step, since steps run side by side:
 *
 * ```
 * #5 [build 2/4] RUN make
 * #5 0.2 cc -o app app.c
 * #5 DONE 1.3s
 * ```
 */
export function plainProgress(
  write: (text: string) => void,
  paint: (text: string, role: PaintRole) => string,
): Progress {
  let view = emptyView;
  const begun = new Set<string>();
  /** Output without its line end yet, by step. */
  const partial = new Map<string, string>();
  let last: string | undefined;

  const say = (vertex: VertexView, text: string) => {
    const number = `#${view.vertices.indexOf(vertex) + 1}`;
    if (last !== undefined && last !== vertex.id) write('\n');
    if (!begun.has(vertex.id)) write(`${number} ${visibleLine(vertex.name)}\n`);
    else if (last !== vertex.id) write(`${number} ...\n`);
    begun.add(vertex.id);
    last = vertex.id;
    if (text !== '') write(`${number} ${text}\n`);
  };
  const sayLog = (vertex: VertexView, text: string, at: number, isEnd = false) => {
    const lines = ((partial.get(vertex.id) ?? '') + text).split('\n');
    const rest = isEnd ? '' : lines.pop()!;
    partial.set(vertex.id, rest);
    const time = seconds(at - (vertex.startedAt ?? at)).slice(0, -1);
    for (const line of lines)
      if (!isEnd || line !== '')
        say(vertex, `${paint(time, 'dim')} ${visibleLine(line.split('\r').findLast((part) => part !== '') ?? '')}`);
  };

  return {
    show(event) {
      view = reduceView(view, event);
      if (event.type === 'diagnostic') return write(`${event.frame}\n`);
      if (event.type === 'pulling') return write(`pulling ${visibleLine(event.image)}: ${visibleLine(event.text)}\n`);
      if (event.type === 'exported') {
        if (last !== undefined) write('\n');
        return write(exportedLines(event));
      }
      const vertex = 'vertex' in event ? view.vertices.find(({ id }) => id === event.vertex) : undefined;
      if (!vertex) return;
      switch (event.type) {
        case 'vertex-started':
          return say(vertex, '');
        case 'vertex-missed':
          return say(vertex, paint(`not cached: ${visibleLine(event.reason)}`, 'dim'));
        case 'vertex-log':
          return sayLog(vertex, event.text, event.at);
        case 'vertex-cached':
          return say(vertex, paint('CACHED', 'info'));
        case 'vertex-finished':
          sayLog(vertex, '', event.at, true);
          return say(vertex, `DONE ${seconds(event.at - (vertex.startedAt ?? event.at))}`);
        case 'vertex-failed':
          sayLog(vertex, '', event.at, true);
          return say(vertex, paint(`ERROR: ${visibleLine(event.message.split('\n', 1)[0]!)}`, 'error'));
      }
    },
    finish: () => {},
  };
}

function exportedLines({ image, names }: Extract<BuildEvent, { type: 'exported' }>): string {
  const tags = names.map((name) => `naming to ${familiarName(parseReference(name))}\n`);
  return [`writing image ${image}\n`, ...tags].join('');
}

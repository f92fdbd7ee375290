import stringWidth from 'string-width';
import { type BuildView, emptyView, reduceView, type VertexView } from '../../builder/view.ts';
import { familiarName, parseReference } from '../../oci/index.ts';
import type { OutputStream } from '../environment.ts';
import { paintFor } from '../paint.ts';
import type { Progress } from './progress.ts';
import { seconds, visibleLine } from './text.ts';

const FRAME_MS = 100;
const LOG_LINES = 6;
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
const NARROWEST = 20;
const CURSOR_OFF = '\x1b[?25l';
const CURSOR_ON = '\x1b[?25h';

/** Progress as a block of lines that is drawn again in place: a clock, a line for each step, the output of running ones. */
export function terminalProgress(stderr: OutputStream, now: () => number): Progress {
  const screen = new Screen(stderr);
  const paint = paintFor(stderr);
  let view = emptyView;
  let timer: NodeJS.Timeout | undefined;
  let finished = false;
  const draw = () => screen.draw(layout(view, { now: now(), paint, rows: (stderr.rows || DEFAULT_ROWS) - 2 }));
  return {
    show(event) {
      view = reduceView(view, event);
      if (event.type === 'diagnostic') return screen.print(event.frame);
      if (event.type === 'pulling')
        return screen.print(`pulling ${visibleLine(event.image)}: ${visibleLine(event.text)}\n`);
      timer ??= setInterval(draw, FRAME_MS);
    },
    finish() {
      if (finished) return;
      finished = true;
      clearInterval(timer);
      if (view.vertices.length > 0)
        screen.draw(layout(view, { now: view.at ?? now(), paint, rows: Number.POSITIVE_INFINITY }));
      screen.close();
    },
  };
}

interface Layout {
  readonly now: number;
  readonly rows: number;
  readonly paint: ReturnType<typeof paintFor>;
}

type Line = {
  readonly text: string;
  readonly time?: string;
  readonly role?: Parameters<ReturnType<typeof paintFor>>[1];
};

/** The block for a view: what is waiting is left out, and what has been done longest goes first when rows are short. */
function layout(view: BuildView, { now, rows, paint }: Layout): readonly Drawn[] {
  const { vertices, startedAt = now } = view;
  const done = vertices.filter(({ status }) => status === 'done' || status === 'cached').length;
  const head = `[+] Building ${seconds(now - startedAt)} (${done}/${vertices.length})${view.image ? ' FINISHED' : ''}`;
  const steps = vertices.filter(({ status }) => status !== 'waiting').map((vertex) => stepLines(vertex, now));
  const room = rows - 1;
  let used = steps.reduce((sum, lines) => sum + lines.length, 0);
  const shown = steps.filter((lines, index) => {
    const isOver = used > room && lines.length === 1 && index < steps.length - 1;
    if (isOver) used--;
    return !isOver;
  });
  const ending = view.image ? [{ text: ` => exported ${exported(view)}`, role: 'info' as const }] : [];
  return [{ text: head }, ...shown.flat().slice(-Math.max(1, Math.min(room, Number.MAX_SAFE_INTEGER))), ...ending].map(
    (line: Line) => ({
      ...line,
      colour: (text: string) => (line.role ? paint(text, line.role) : text),
    }),
  );
}

interface Drawn extends Line {
  readonly colour: (text: string) => string;
}

function stepLines({ status, name, log, startedAt, finishedAt, reason }: VertexView, now: number): Line[] {
  const label = ` => ${status === 'cached' ? 'CACHED ' : status === 'failed' ? 'ERROR ' : ''}${visibleLine(name)}`;
  const time = seconds((finishedAt ?? now) - (startedAt ?? finishedAt ?? now));
  if (status === 'done' || status === 'cached') return [{ text: label, time, role: 'info' }];
  if (status === 'failed') return [{ text: label, time, role: 'error' }];
  const why: Line[] = reason ? [{ text: ` => => not cached: ${visibleLine(reason)}`, role: 'dim' }] : [];
  const output = (log.at(-1) === '' ? log.slice(0, -1) : log).slice(-LOG_LINES);
  return [
    { text: label, time },
    ...why,
    ...output.map((text): Line => ({ text: ` => => # ${visibleLine(text)}`, role: 'dim' })),
  ];
}

function exported({ image, names }: BuildView): string {
  const tags = names.map((name) => familiarName(parseReference(name)));
  return [...tags, image!.slice('sha256:'.length, 'sha256:'.length + 12)].join(' ');
}

/** A region at the bottom of the terminal that is redrawn in place. */
class Screen {
  readonly #out: OutputStream;
  #height = 0;
  #open = false;

  constructor(out: OutputStream) {
    this.#out = out;
  }

  draw(lines: readonly Drawn[]): void {
    // Some terminals say that they have no columns at all.
    const columns = Math.max(this.#out.columns || DEFAULT_COLUMNS, NARROWEST) - 1;
    const text = lines.map((line) => `${fitted(line, columns)}\x1b[K\n`).join('');
    this.#out.write(`${this.#open ? '' : CURSOR_OFF}${this.#up()}${text}\x1b[J`);
    this.#open = true;
    this.#height = lines.length;
  }

  /** Prints above the region; it is drawn again with the next frame. */
  print(text: string): void {
    this.#out.write(`${this.#up()}\x1b[J${text}\n`);
    this.#height = 0;
  }

  close(): void {
    if (this.#open) this.#out.write(CURSOR_ON);
    this.#open = false;
  }

  #up(): string {
    return this.#height > 0 ? `\x1b[${this.#height}A\r` : '';
  }
}

/** One line that never wraps: the text is cut, the time is at the right edge. */
function fitted({ text, time = '', colour }: Drawn, columns: number): string {
  const room = columns - (time === '' ? 0 : time.length + 1);
  const cut = truncated(text, room);
  const gap = time === '' ? '' : ' '.repeat(columns - time.length - stringWidth(cut));
  return `${colour(cut)}${gap}${time}`;
}

function truncated(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  let cut = '';
  let width = 1;
  for (const letter of text) {
    width += stringWidth(letter);
    if (width > columns) break;
    cut += letter;
  }
  return `${cut}…`;
}

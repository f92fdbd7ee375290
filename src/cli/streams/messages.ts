import type { JsonMessage } from '../../api/contract/index.ts';
import type { OutputStream } from '../environment.ts';

const DEFAULT_ROWS = 24;

/**
 * Prints a progress stream as it comes: `stream` text as it is, `status` lines with their id. On a terminal what is said
 * of one id overwrites itself; elsewhere bars are left out, and only changes of status are printed.
 */
export async function printMessages(
  messages: AsyncIterable<JsonMessage>,
  out: OutputStream,
  { quiet }: { readonly quiet: boolean },
): Promise<void> {
  const show = out.isTTY ? inPlace(out) : inLines(out);
  for await (const message of messages) {
    if (!quiet) show(message);
  }
}

type Show = (message: JsonMessage) => void;

function inLines(out: OutputStream): Show {
  const last = new Map<string, string>();
  return ({ stream, status, id, progressDetail }) => {
    if (stream !== undefined) out.write(printable(stream));
    if (status === undefined || progressDetail?.current !== undefined) return;
    if (id !== undefined && last.get(id) === status) return;
    if (id !== undefined) last.set(id, status);
    out.write(`${lineOf(status, id)}\n`);
  };
}

/** Keeps a line for each id, until something else is said. */
function inPlace(out: OutputStream): Show {
  let ids: string[] = [];
  return ({ stream, status, id, progress }) => {
    if (stream !== undefined) out.write(printable(stream));
    if (status === undefined) return;
    const line = fitted(`${lineOf(status, id)}${progress === undefined ? '' : ` ${printable(progress)}`}`, out);
    const place = id === undefined ? -1 : ids.indexOf(id);
    if (id === undefined) ids = [];
    if (place < 0) {
      if (id !== undefined) ids.push(id);
      out.write(`${line}\n`);
      return;
    }
    const up = ids.length - place;
    // A line that has scrolled away cannot be reached.
    if (up < (out.rows ?? DEFAULT_ROWS)) out.write(`\x1b[${up}A\x1b[2K\r${line}\x1b[${up}B\r`);
  };
}

function lineOf(status: string, id: string | undefined): string {
  return printable(id === undefined ? status : `${id}: ${status}`);
}

/** A line that wraps would take the place of two. */
function fitted(line: string, { columns }: OutputStream): string {
  return columns === undefined ? line : line.slice(0, columns - 1);
}

function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');
}

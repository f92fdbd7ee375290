import type { JsonMessage } from '../../api/contract/index.ts';
import type { OutputStream } from '../environment.ts';

/**
 * Prints a progress stream as it comes: `stream` text as it is, `status` lines with their id. On a terminal the bars of
 * one id overwrite each other; elsewhere only changes of status are printed.
 */
export async function printMessages(
  messages: AsyncIterable<JsonMessage>,
  out: OutputStream,
  { quiet }: { readonly quiet: boolean },
): Promise<void> {
  const lastStatus = new Map<string, string>();
  for await (const message of messages) {
    if (quiet) continue;
    if (message.stream !== undefined) out.write(printable(message.stream));
    else if (message.status !== undefined && lastStatus.get(message.id ?? '') !== message.status) {
      if (message.id !== undefined) lastStatus.set(message.id, message.status);
      out.write(`${printable(message.id === undefined ? message.status : `${message.id}: ${message.status}`)}\n`);
    }
  }
}

function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');
}

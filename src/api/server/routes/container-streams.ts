import type { LogsQuery } from '../../../engine/index.ts';
import { BerthError, toBerthError } from '../../../errors/index.ts';
import { atLeast, encodeFrame, streamContentType, type WaitCondition, type WaitResult } from '../../contract/index.ts';
import type { Exchange } from '../exchange.ts';
import { serveStream } from '../hijack.ts';
import type { Services } from '../ports.ts';
import { optional, type Query } from '../query.ts';
import type { Handlers } from '../router.ts';

const WAIT_CONDITIONS: ReadonlySet<string> = new Set<WaitCondition>(['not-running', 'next-exit', 'removed']);

export function containerStreamRoutes({ engine: { containers } }: Services): Handlers {
  return {
    async 'POST /containers/{id}/attach'(exchange) {
      const { query } = exchange;
      exchange.holdConnection();
      const attachment = await containers.attach(exchange.param('id'), {
        stdin: query.flag('stdin'),
        stdout: query.flag('stdout'),
        stderr: query.flag('stderr'),
        stream: query.flag('stream'),
        logs: query.flag('logs'),
        ...optional('detachKeys', query.text('detachKeys')),
      });
      await serveStream(exchange.hijack(attachment.tty), attachment.tty, (connection) => attachment.bind(connection));
    },

    async 'POST /containers/{id}/wait'(exchange) {
      const armed = await containers.wait(exchange.param('id'), waitCondition(exchange.query), exchange.signal);
      // `docker run` starts the container only when it has seen these headers.
      exchange.startStream('application/json');
      const result = await armed.result.catch((error: unknown): WaitResult => {
        if (exchange.signal.aborted) throw error;
        return { StatusCode: -1, Error: { Message: toBerthError(error).message } };
      });
      await exchange.write(`${JSON.stringify(result)}\n`);
      exchange.end();
    },

    async 'GET /containers/{id}/logs'(exchange) {
      const options = logsQuery(exchange);
      const { tty, entries } = await containers.logs(exchange.param('id'), options);
      const prefix = linePrefix(exchange.query);
      exchange.startStream(streamContentType(tty, atLeast(exchange.version, '1.42')));
      for await (const entry of entries) {
        const before = prefix(entry.time);
        const line = before === '' ? entry.line : Buffer.concat([Buffer.from(before, 'utf8'), entry.line]);
        await exchange.write(tty ? line : encodeFrame(entry.stream, line));
      }
      exchange.end();
    },
  };
}

function waitCondition(query: Query): WaitCondition {
  const text = query.text('condition') ?? 'not-running';
  if (!WAIT_CONDITIONS.has(text)) throw new BerthError('invalid', `invalid condition: ${JSON.stringify(text)}`);
  return text as WaitCondition;
}

function logsQuery({ query, signal }: Exchange): LogsQuery {
  const stdout = query.flag('stdout');
  const stderr = query.flag('stderr');
  if (!stdout && !stderr) throw new BerthError('invalid', 'Bad parameters: you must choose at least one stream');
  const tail = Number(query.text('tail') ?? 'all');
  const since = query.time('since');
  const until = query.time('until');
  return {
    stdout,
    stderr,
    follow: query.flag('follow'),
    // Docker takes anything that is not a number of lines for "all".
    tail: Number.isSafeInteger(tail) && tail >= 0 ? tail : 'all',
    ...optional('since', since === 0 ? undefined : since),
    ...optional('until', until === 0 ? undefined : until),
    signal,
  };
}

/** What stands before a line: its time, then its details, of which our log driver has none. */
function linePrefix(query: Query): (time: string) => string {
  const timestamps = query.flag('timestamps');
  const details = query.flag('details') ? ' ' : '';
  return (time) => `${timestamps ? `${time} ` : ''}${details}`;
}

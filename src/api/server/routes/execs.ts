import { decodeExecCreate, decodeExecStart } from '../../contract/index.ts';
import { serveStream } from '../hijack.ts';
import type { Services } from '../ports.ts';
import type { Handlers } from '../router.ts';
import { windowSize } from './containers.ts';

export function execRoutes({ engine: { execs } }: Services): Handlers {
  return {
    async 'POST /containers/{id}/exec'(exchange) {
      const body = decodeExecCreate((await exchange.json()) ?? {});
      exchange.sendJson(201, await execs.create(exchange.param('id'), body));
    },

    async 'POST /exec/{id}/start'(exchange) {
      const { Detach = false, Tty = false, ConsoleSize } = decodeExecStart((await exchange.json()) ?? {});
      exchange.holdConnection();
      const size = ConsoleSize === undefined ? {} : { rows: ConsoleSize[0], columns: ConsoleSize[1] };
      const attachment = await execs.start(exchange.param('id'), { detach: Detach, tty: Tty, ...size });
      if (attachment === null) return exchange.sendEmpty(200);
      await serveStream(exchange.hijack(attachment.tty), attachment.tty, (connection) => attachment.bind(connection));
    },

    async 'POST /exec/{id}/resize'(exchange) {
      const { rows, columns } = windowSize(exchange);
      await execs.resize(exchange.param('id'), rows, columns);
      exchange.sendEmpty(200);
    },

    async 'GET /exec/{id}/json'(exchange) {
      exchange.sendJson(200, await execs.inspect(exchange.param('id')));
    },
  };
}

import { BerthError } from '../../../errors/index.ts';
import { decodeContainerUpdate } from '../../contract/index.ts';
import { sendBytes } from '../json-stream.ts';
import type { Services } from '../ports.ts';
import type { Handlers } from '../router.ts';

/** What containers use of the machine, and may use. */
export function containerResourceRoutes({ engine: { containers } }: Services): Handlers {
  return {
    async 'POST /containers/{id}/pause'(exchange) {
      await containers.pause(exchange.param('id'));
      exchange.sendEmpty(204);
    },

    async 'POST /containers/{id}/unpause'(exchange) {
      await containers.unpause(exchange.param('id'));
      exchange.sendEmpty(204);
    },

    async 'POST /containers/{id}/update'(exchange) {
      const body = await exchange.json();
      if (body === undefined) throw new BerthError('invalid', 'invalid JSON: the request has no body');
      exchange.sendJson(200, await containers.update(exchange.param('id'), decodeContainerUpdate(body)));
    },

    async 'GET /containers/{id}/stats'(exchange) {
      const { query, signal } = exchange;
      const stream = query.flag('stream', true);
      const oneShot = query.flag('one-shot');
      if (stream && oneShot) throw new BerthError('invalid', 'cannot have stream=true and one-shot=true');
      const samples = await containers.stats(exchange.param('id'), { stream, oneShot, signal });
      await sendBytes(exchange, 'application/json', lines(samples));
    },
  };
}

async function* lines(values: AsyncIterable<object>): AsyncGenerator<Uint8Array> {
  for await (const value of values) yield Buffer.from(`${JSON.stringify(value)}\n`);
}

import type { EventMessage } from '../../contract/index.ts';
import { FILTER_KEYS, parseFilters } from '../../contract/index.ts';
import type { Exchange } from '../exchange.ts';
import type { Services } from '../ports.ts';
import { optional } from '../query.ts';
import type { Handlers } from '../router.ts';

export function systemRoutes({ engine, system }: Services): Handlers {
  const ping = (exchange: Exchange) =>
    exchange.sendText(200, 'OK', {
      'Cache-Control': 'no-cache, no-store, must-revalidate',
      Pragma: 'no-cache',
      Swarm: 'inactive',
    });
  return {
    'HEAD /_ping': ping,
    'GET /_ping': ping,

    async 'GET /version'(exchange) {
      exchange.sendJson(200, await system.version());
    },

    async 'GET /info'(exchange) {
      exchange.sendJson(200, await system.info());
    },

    async 'GET /events'(exchange) {
      const { query, signal } = exchange;
      const events = engine.events.subscribe({
        ...optional('since', query.time('since')),
        ...optional('until', query.time('until')),
        filters: parseFilters(query.text('filters'), FILTER_KEYS.events),
        signal,
      });
      exchange.startStream('application/json');
      for await (const event of events) await exchange.write(`${JSON.stringify(withOldFields(event))}\n`);
      exchange.end();
    },
  };
}

/** API versions below 1.52 repeat the main facts of an event in three older fields. */
function withOldFields(event: EventMessage): object {
  if (event.Type !== 'container' && event.Type !== 'image') return event;
  const from = event.Actor.Attributes['image'];
  return { status: event.Action, id: event.Actor.ID, ...optional('from', from), ...event };
}

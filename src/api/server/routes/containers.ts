import { BerthError } from '../../../errors/index.ts';
import { decodeContainerCreate, FILTER_KEYS, parseFilters } from '../../contract/index.ts';
import type { Exchange } from '../exchange.ts';
import { sendBytes } from '../json-stream.ts';
import type { Services } from '../ports.ts';
import { optional, type Query } from '../query.ts';
import type { Handlers } from '../router.ts';

export function containerRoutes({ engine: { containers } }: Services): Handlers {
  return {
    async 'GET /containers/json'(exchange) {
      const { query } = exchange;
      const limit = query.integer('limit');
      const options = {
        all: query.flag('all'),
        ...optional('limit', limit !== undefined && limit > 0 ? limit : undefined),
        size: query.flag('size'),
        filters: parseFilters(query.text('filters'), FILTER_KEYS.containers),
      };
      exchange.sendJson(200, await containers.list(options));
    },

    async 'POST /containers/create'(exchange) {
      const body = await exchange.json();
      if (body === undefined) throw new BerthError('invalid', 'invalid JSON: the request has no body');
      exchange.sendJson(201, await containers.create(exchange.query.text('name'), decodeContainerCreate(body)));
    },

    async 'GET /containers/{id}/json'(exchange) {
      exchange.sendJson(200, await containers.inspect(exchange.param('id'), { size: exchange.query.flag('size') }));
    },

    async 'GET /containers/{id}/top'(exchange) {
      exchange.sendJson(200, await containers.top(exchange.param('id'), exchange.query.text('ps_args') ?? '-ef'));
    },

    async 'GET /containers/{id}/export'(exchange) {
      await sendBytes(exchange, 'application/octet-stream', await containers.exportTar(exchange.param('id')));
    },

    async 'POST /containers/{id}/start'(exchange) {
      await containers.start(exchange.param('id'));
      exchange.sendEmpty(204);
    },

    async 'POST /containers/{id}/stop'(exchange) {
      await containers.stop(exchange.param('id'), stopOptions(exchange.query));
      exchange.sendEmpty(204);
    },

    async 'POST /containers/{id}/restart'(exchange) {
      await containers.restart(exchange.param('id'), stopOptions(exchange.query));
      exchange.sendEmpty(204);
    },

    async 'POST /containers/{id}/kill'(exchange) {
      await containers.kill(exchange.param('id'), exchange.query.text('signal') ?? 'SIGKILL');
      exchange.sendEmpty(204);
    },

    async 'POST /containers/{id}/rename'(exchange) {
      const name = exchange.query.text('name');
      if (name === undefined) throw new BerthError('invalid', 'neither old nor new names may be empty');
      await containers.rename(exchange.param('id'), name);
      exchange.sendEmpty(204);
    },

    async 'POST /containers/{id}/resize'(exchange) {
      const { rows, columns } = windowSize(exchange);
      await containers.resize(exchange.param('id'), rows, columns);
      exchange.sendEmpty(200);
    },

    async 'DELETE /containers/{id}'(exchange) {
      const { query } = exchange;
      if (query.flag('link'))
        throw new BerthError('unsupported', 'removing a link of a container is not available yet');
      await containers.remove(exchange.param('id'), { force: query.flag('force'), volumes: query.flag('v') });
      exchange.sendEmpty(204);
    },

    async 'POST /commit'(exchange) {
      const { query } = exchange;
      const config = await exchange.json();
      if (typeof config === 'object' && config !== null && Object.keys(config).length > 0) {
        throw new BerthError('unsupported', 'commit with a container configuration is not available yet', {
          hint: 'use changes, as in --change "CMD app"',
        });
      }
      const container = query.text('container');
      if (container === undefined) throw new BerthError('invalid', 'commit needs the name of a container');
      const committed = await containers.commit(container, {
        ...optional('repo', query.text('repo')),
        ...optional('tag', query.text('tag')),
        ...optional('comment', query.text('comment')),
        ...optional('author', query.text('author')),
        changes: query.all('changes'),
        pause: query.flag('pause', true),
      });
      exchange.sendJson(201, committed);
    },
  };
}

function stopOptions(query: Query): { timeoutSeconds?: number; signal?: string } {
  return { ...optional('timeoutSeconds', query.integer('t')), ...optional('signal', query.text('signal')) };
}

/** Rows and columns of a terminal. @throws BerthError `invalid` */
export function windowSize({ query }: Exchange): { rows: number; columns: number } {
  const rows = query.integer('h') ?? 0;
  const columns = query.integer('w') ?? 0;
  if (rows < 0 || columns < 0 || rows > 0xffff || columns > 0xffff) {
    throw new BerthError('invalid', `not a terminal size: ${rows} rows, ${columns} columns`);
  }
  return { rows, columns };
}

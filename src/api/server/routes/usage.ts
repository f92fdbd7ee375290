import { USAGE_TYPES, type UsageType } from '../../../engine/index.ts';
import { BerthError } from '../../../errors/index.ts';
import { FILTER_KEYS, parseFilters } from '../../contract/index.ts';
import type { Services } from '../ports.ts';
import type { Handlers } from '../router.ts';

/** What things take on the disk, and what gives it back. */
export function usageRoutes({ usage }: Services): Handlers {
  return {
    async 'GET /system/df'(exchange) {
      const types = usageTypes(exchange.query.all('type'));
      exchange.sendJson(200, await usage.diskUsage({ types, verify: exchange.query.flag('berth-verify') }));
    },

    async 'POST /images/prune'(exchange) {
      exchange.sendJson(
        200,
        await usage.pruneImages(parseFilters(exchange.query.text('filters'), FILTER_KEYS.imagesPrune)),
      );
    },

    async 'POST /containers/prune'(exchange) {
      exchange.sendJson(
        200,
        await usage.pruneContainers(parseFilters(exchange.query.text('filters'), FILTER_KEYS.containersPrune)),
      );
    },

    async 'POST /build/prune'(exchange) {
      const filters = parseFilters(exchange.query.text('filters'), FILTER_KEYS.buildPrune);
      const keepBytes = exchange.query.integer('reserved-space') ?? exchange.query.integer('keep-storage') ?? 0;
      exchange.sendJson(200, await usage.pruneBuildCache({ all: exchange.query.flag('all'), filters, keepBytes }));
    },
  };
}

function usageTypes(values: readonly string[]): ReadonlySet<UsageType> {
  const types = values.map((value) => {
    const known = USAGE_TYPES.find((type) => type === value);
    if (known) return known;
    throw new BerthError('invalid', `unknown object type: ${value}`, { hint: `use ${USAGE_TYPES.join(', ')}` });
  });
  return new Set(types.length === 0 ? USAGE_TYPES : types);
}

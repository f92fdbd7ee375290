import { type EventMessage, FILTER_KEYS, type Filters } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';

type Test = (event: EventMessage, value: string) => boolean;

/** An actor is named by its id, its name, or the beginning of one of them. */
const actorOf =
  (type: EventMessage['Type']): Test =>
  (event, value) =>
    event.Type === type &&
    (event.Actor.ID.startsWith(value) || (event.Actor.Attributes['name'] ?? '').startsWith(value));

const TESTS: Readonly<Record<string, Test>> = {
  type: (event, value) => event.Type === value,
  // `exec_create: ls` and `health_status: healthy` are found by their first word.
  event: (event, value) => event.Action === value || event.Action.startsWith(`${value}:`),
  scope: (event, value) => event.scope === value,
  container: actorOf('container'),
  network: actorOf('network'),
  volume: actorOf('volume'),
  daemon: actorOf('daemon'),
  image: (event, value) => {
    const { image, name } = event.Actor.Attributes;
    const names = event.Type === 'image' ? [event.Actor.ID, name] : [image];
    return names.some((text) => text !== undefined && (text === value || withoutTag(text) === value));
  },
  label: (event, value) => {
    const equals = value.indexOf('=');
    const attributes = event.Actor.Attributes;
    return equals < 0 ? value in attributes : attributes[value.slice(0, equals)] === value.slice(equals + 1);
  },
};

/**
 * Values of one key are alternatives, but for labels, which all have to be there; different keys all have to match.
 * @throws BerthError `invalid` on an unknown key
 */
export function eventFilter(filters: Filters): (event: EventMessage) => boolean {
  for (const key of filters.keys()) {
    if (!(FILTER_KEYS.events as readonly string[]).includes(key)) {
      throw new BerthError('invalid', `invalid filter '${key}'`);
    }
  }
  const entries = [...filters].filter(([, values]) => values.length > 0);
  return (event) =>
    entries.every(([key, values]) => {
      const test = TESTS[key];
      if (!test) return false;
      return key === 'label' ? values.every((value) => test(event, value)) : values.some((value) => test(event, value));
    });
}

function withoutTag(name: string): string {
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name;
}

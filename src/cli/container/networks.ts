import type { EndpointSettingsBody } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { CommandContext } from '../context.ts';
import { splitCsv } from './csv.ts';

export interface NetworkChoice {
  readonly mode: string;
  readonly endpoints: Readonly<Record<string, EndpointSettingsBody>>;
  /** Of the default network. */
  readonly links: readonly string[];
}

interface Wish {
  readonly name: string;
  readonly settings: EndpointSettingsBody;
}

/**
 * The networks of `--network`, the first being the container's mode; `--ip`, `--network-alias` and the like are about
 * that one. @throws BerthError `invalid`
 */
export function chooseNetworks({ flags }: Pick<CommandContext, 'flags'>): NetworkChoice {
  const texts = flags.list('network');
  const [first = { name: 'default', settings: {} }, ...more] = texts.map(parseNetwork);
  const own = ownSettings(flags, first.name);
  for (const key of Object.keys(own) as (keyof EndpointSettingsBody)[]) {
    if (first.settings[key] !== undefined) {
      throw new BerthError(
        'invalid',
        `conflicting options: cannot specify ${flagOf[key] ?? key} and per-network ${key}`,
      );
    }
  }
  const names = new Set([first.name, ...more.map(({ name }) => name)]);
  if (names.size < more.length + 1) throw new BerthError('invalid', 'network is specified multiple times');
  const settings = { ...first.settings, ...own };
  const isPlain = more.length === 0 && Object.keys(settings).length === 0;
  const endpoints = isPlain
    ? []
    : [[first.name, settings] as const, ...more.map((one) => [one.name, one.settings] as const)];
  return {
    mode: first.name,
    endpoints: Object.fromEntries(endpoints),
    links: 'Links' in own ? [] : flags.list('link'),
  };
}

const flagOf: Partial<Record<keyof EndpointSettingsBody, string>> = {
  Aliases: '--network-alias',
  IPAMConfig: '--ip',
  MacAddress: '--mac-address',
};

/** Links of the default network are the container's own matter. */
function ownSettings(flags: CommandContext['flags'], network: string): EndpointSettingsBody {
  const isDefault = network === 'default' || network === 'bridge';
  const links = flags.list('link');
  const [ipv4, ipv6] = [flags.string('ip'), flags.string('ip6')];
  const [aliases, mac] = [flags.list('network-alias'), flags.string('mac-address')];
  return {
    ...(ipv4 || ipv6
      ? { IPAMConfig: { ...(ipv4 ? { IPv4Address: ipv4 } : {}), ...(ipv6 ? { IPv6Address: ipv6 } : {}) } }
      : {}),
    ...(aliases.length > 0 ? { Aliases: aliases } : {}),
    ...(mac ? { MacAddress: mac } : {}),
    ...(links.length > 0 && !isDefault ? { Links: links } : {}),
  };
}

/** A name, or `name=front,alias=web,ip=10.0.0.5`. @see docker/cli opts/network.go */
function parseNetwork(text: string): Wish {
  if (!/^[\w-]+=/.test(text)) return { name: text, settings: {} };
  const aliases: string[] = [];
  const options: Record<string, string> = {};
  const found = new Map<string, string>();
  for (const field of splitCsv(text)) {
    const equals = field.indexOf('=');
    const [key, value] = [field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1).trim()];
    if (equals < 0) throw new BerthError('invalid', `invalid field ${field} must be a key=value pair`);
    if (key === 'alias') aliases.push(value);
    else if (key === 'driver-opt') {
      const middle = value.indexOf('=');
      if (middle < 0) throw new BerthError('invalid', `invalid key value pair format in driver options: ${value}`);
      options[value.slice(0, middle)] = value.slice(middle + 1);
    } else if (['name', 'ip', 'ip6', 'mac-address', 'gw-priority'].includes(key)) found.set(key, value);
    else throw new BerthError('invalid', `invalid field key ${key}`);
  }
  const name = found.get('name');
  if (!name) throw new BerthError('invalid', 'network name/id is not specified');
  return { name, settings: settingsOf(found, aliases, options) };
}

function settingsOf(
  found: ReadonlyMap<string, string>,
  aliases: readonly string[],
  options: Readonly<Record<string, string>>,
): EndpointSettingsBody {
  const [ipv4, ipv6, mac, priority] = ['ip', 'ip6', 'mac-address', 'gw-priority'].map((key) => found.get(key));
  if (priority !== undefined && !/^-?\d+$/.test(priority)) {
    throw new BerthError('invalid', `invalid gw-priority: ${priority}`);
  }
  return {
    ...(ipv4 || ipv6
      ? { IPAMConfig: { ...(ipv4 ? { IPv4Address: ipv4 } : {}), ...(ipv6 ? { IPv6Address: ipv6 } : {}) } }
      : {}),
    ...(aliases.length > 0 ? { Aliases: aliases } : {}),
    ...(mac ? { MacAddress: mac } : {}),
    ...(Object.keys(options).length > 0 ? { DriverOpts: options } : {}),
    ...(priority === undefined ? {} : { GwPriority: Number(priority) }),
  };
}

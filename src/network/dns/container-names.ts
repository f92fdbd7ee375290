import { formatIp, ipBytes, ipOfBytes, parseIp } from '../address/ip.ts';
import { nameData } from './encode.ts';
import { CLASS_IN, type Message, type Question, type ResourceRecord, rcodes, replyTo, types } from './message.ts';
import { isName } from './name.ts';

/** The containers that one container can see, asked for each question anew. */
export interface Names {
  /**
   * The addresses of all that have a name, or undefined when none has. A name may be qualified by a network
   * (`web.front-end`).
   * @param name lower case, no dot at its end
   */
  lookup(name: string): { readonly ipv4: readonly string[]; readonly ipv6: readonly string[] } | undefined;
  /** The names of an address, as `web.front-end`. @param ip in its shortest form */
  reverse(ip: string): readonly string[] | undefined;
}

/** As docker's. Resolvers in containers rarely keep answers, so that it matters little. */
const TTL_S = 600;

/**
 * The answer that the containers' names give, or undefined for names that they do not have. A known name without
 * addresses of the wanted kind, or of any other type, is answered with nothing: nobody else may say what it is.
 * @param turn addresses begin with another one each time
 */
export function answerByNames(query: Message, question: Question, names: Names, turn: number): Message | undefined {
  if (question.class !== CLASS_IN) return undefined;
  const name = question.name.toLowerCase();
  const answer = (records: readonly { readonly type: number; readonly data: Buffer }[]): Message => ({
    ...replyTo(query, rcodes.noError),
    answers: records.map((record): ResourceRecord => ({ name: question.name, class: CLASS_IN, ttl: TTL_S, ...record })),
  });
  const ip = question.type === types.PTR ? reversedIp(name) : undefined;
  if (ip !== undefined) {
    const found = names.reverse(ip)?.filter(isName);
    return found && answer(found.map((one) => ({ type: types.PTR, data: nameData(one) })));
  }
  const found = names.lookup(name);
  if (!found) return undefined;
  const wants = (type: number) => question.type === type || question.type === types.ANY;
  const records = (type: number, addresses: readonly string[]) =>
    wants(type) ? rotated(addresses, turn).map((address) => ({ type, data: ipBytes(parseIp(address)) })) : [];
  return answer([...records(types.A, found.ipv4), ...records(types.AAAA, found.ipv6)]);
}

/** The address that a name below `in-addr.arpa` or `ip6.arpa` means. */
export function reversedIp(name: string): string | undefined {
  const [, digits = '', zone] = /^([0-9a-f.]+)\.(in-addr|ip6)\.arpa$/.exec(name) ?? [];
  const parts = digits.split('.').reverse();
  if (zone === 'in-addr') {
    const isIp = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
    return isIp ? parts.join('.') : undefined;
  }
  if (zone !== 'ip6' || parts.length !== 32 || parts.some((part) => part.length !== 1)) return undefined;
  return formatIp(ipOfBytes(Buffer.from(parts.join(''), 'hex')));
}

function rotated<T>(items: readonly T[], turn: number): readonly T[] {
  const first = items.length > 0 ? turn % items.length : 0;
  return first === 0 ? items : [...items.slice(first), ...items.slice(0, first)];
}

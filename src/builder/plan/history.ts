import type { Healthcheck } from '../../oci/index.ts';
import { formatDuration } from '../../units/index.ts';

/** How BuildKit marks what it wrote; tools look for it. */
export const HISTORY_COMMENT = 'buildkit.dockerfile.v0';

/** A history text of a step that has a layer. */
export function layerText(text: string): string {
  return `${text} # buildkit`;
}

/** `RUN |2 A=1 B= /bin/sh -c make`: the ARGs in scope come first, with their number. */
export function runText(args: readonly string[], argv: readonly string[]): string {
  const prefix = args.length === 0 ? [] : [`|${args.length}`, ...args];
  return ['RUN', [...prefix, ...argv].join(' ')].join(' ');
}

/** `CMD ["a" "b"]`: Go's %q of a list. */
export function quotedList(keyword: string, argv: readonly string[]): string {
  return `${keyword} [${argv.map(goQuote).join(' ')}]`;
}

/** `VOLUME [/a /b]`: Go's %v of a list. */
export function plainList(keyword: string, words: readonly string[]): string {
  return `${keyword} [${words.join(' ')}]`;
}

/** Go's %+v of a healthcheck. */
export function healthcheckText(check: Healthcheck): string {
  const time = (ns: number | undefined) => formatDuration(ns ?? 0);
  return (
    `HEALTHCHECK {Test:[${(check.Test ?? []).join(' ')}] Interval:${time(check.Interval)} Timeout:${time(check.Timeout)} ` +
    `StartPeriod:${time(check.StartPeriod)} StartInterval:${time(check.StartInterval)} Retries:${check.Retries ?? 0}}`
  );
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** @see Go strconv.Quote */
export function goQuote(text: string): string {
  let quoted = '"';
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (ESCAPES[character]) quoted += ESCAPES[character];
    else if (code < 0x20 || code === 0x7f) quoted += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (
      /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/u.test(character) ||
      (character !== ' ' && /\p{Zs}/u.test(character))
    ) {
      quoted += code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
    } else quoted += character;
  }
  return `${quoted}"`;
}

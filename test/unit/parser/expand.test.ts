// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles write variables like this
import { describe, expect, it } from 'vitest';
import { expandHeredoc, expandKnown, expandWord, expandWords } from '../../../src/parser/index.ts';

const env: Readonly<Record<string, string>> = { A: 'one two', EMPTY: '', F: 'a/b/c.tar.gz', N: 'banana' };
const options = { escape: '\\' as const, lookup: (name: string) => env[name] };
const value = (text: string) => expandWord(text, options).value;
const errorOf = (text: string) => expandWord(text, options).errors[0];

describe('expandWord', () => {
  it.each([
    ['$A ${A}', 'one two one two'],
    ['\'$A\' "$A"', '$A one two'],
    ['\\$A a\\ b \\\\', '$A a b \\'],
    ['${X:-d} ${X-d} ${EMPTY:-d} ${EMPTY-d}', 'd d d '],
    ['${A:+x}${X:+x}${EMPTY+x}${EMPTY:+x}', 'xx'],
    ['${X:-${Y:-${A}}}', 'one two'],
    ['${F##*/} ${F#*/} ${F%.*} ${F%%.*}', 'c.tar.gz b/c.tar.gz a/b/c.tar a/b/c'],
    ['${N/a/o} ${N//a/o} ${N/an*/x} ${N//?/x} ${N//q/x}', 'bonana bonono bx xxxxxx banana'],
    ['${N/\\*/x}${N#\\?}', 'bananabanana'],
    ['a$ $. $', 'a$ $. $'],
  ])('%s gives %s', (text, expected) => {
    expect(value(text)).toBe(expected);
  });

  it('tells which variables were there and which were not', () => {
    const { used, missing } = expandWord('$A ${X:-$EMPTY} ${A:-$Y}', options);
    expect([...used]).toEqual(['A', 'EMPTY']);
    expect([...missing]).toEqual(['X', 'Y']);
  });

  it.each([
    ['"open', 'missing closing quote (")', 0],
    ["a'open", "missing closing quote (')", 1],
    ['${A', "missing '}'", 3],
    ['x${}', "bad substitution: '${}' has no variable name", 1],
    ['${A^^}', 'unsupported modifier (^) in substitution', 3],
    ['${A:1}', 'unsupported modifier (:1) in substitution', 3],
    ['${X:?please set X}', 'X: please set X', 0],
    ['${X:?}', 'X: is not allowed to be unset', 0],
  ])('%s is an error with its place', (text, message, offset) => {
    expect(errorOf(text)).toEqual({ message, offset });
    expect(value(text)).toBe('');
  });

  it('does not follow hostile nesting down the stack', () => {
    expect(errorOf('${A:-'.repeat(1_000_000))?.message).toBe('variables are nested too deeply');
  });

  it('replaces in time that grows with the text, not with its square', () => {
    const long = 'a'.repeat(200_000);
    const { value: replaced } = expandWord('${L//a*b/x}', { escape: '\\', lookup: () => long });
    expect(replaced).toBe(long);
  });
});

describe('expandWords', () => {
  it('splits at white space, also inside values, unless quoted', () => {
    expect(expandWords('80 $A "$A" x${X}y \'\'', options).words).toEqual(['80', 'one', 'two', 'one two', 'xy']);
  });
});

describe('expandHeredoc', () => {
  it('keeps quotes and expands inside them', () => {
    expect(expandHeredoc('"$A" it\'s \\$A ${X:-d}\n', options).value).toBe('"one two" it\'s $A d\n');
  });
});

describe('expandKnown', () => {
  it('leaves unset variables and quotes as written', () => {
    expect(expandKnown('"$A" ${X:-d} $X', options).value).toBe('"one two" ${X:-d} $X');
  });
});

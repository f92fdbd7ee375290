import { describe, expect, it } from 'vitest';
import { compileTemplate } from '../../../src/format/template/index.ts';

const data = {
  Name: 'web',
  Id: 'sha256:abcdef',
  Size: 1234567,
  Ratio: 0.5,
  Up: true,
  None: null,
  Args: ['a', 'b', 'c'],
  Labels: { tier: 'front', 'com.example.x': 'y' },
  Nested: { Deep: { Value: 7 } },
};

const render = (source: string) => compileTemplate(source).render(data);

describe('values', () => {
  it.each([
    ['plain text', 'plain text'],
    ['{{.Name}}', 'web'],
    ['{{ .Nested.Deep.Value }}', '7'],
    ['{{.Size}} {{.Ratio}} {{.Up}}', '1234567 0.5 true'],
    ['{{.Args}}', '[a b c]'],
    ['{{.Labels}}', 'map[com.example.x:y tier:front]'],
    ['{{.None}} {{.Labels.missing}}', '<no value> <no value>'],
    ['{{"quo\\"ted\\n"}}{{`raw\\n`}}', 'quo"ted\nraw\\n'],
    ['{{3}} {{-4}} {{0x10}} {{1.5}}', '3 -4 16 1.5'],
    ['{{$.Name}}', 'web'],
    ['{{(index .Args 1)}} {{(.Nested).Deep.Value}}', 'b 7'],
    ['{{json .Labels}}', '{"tier":"front","com.example.x":"y"}'],
    ['{{json .}}', JSON.stringify(data)],
    ['{{/* nothing */}}x', 'x'],
  ])('%s', (source, expected) => {
    expect(render(source)).toBe(expected);
  });
});

describe('control flow', () => {
  it.each([
    ['{{if .Up}}up{{else}}down{{end}}', 'up'],
    ['{{if .None}}a{{else if eq .Name "web"}}b{{else}}c{{end}}', 'b'],
    ['{{range .Args}}<{{.}}>{{end}}', '<a><b><c>'],
    ['{{range $i, $e := .Args}}{{$i}}={{$e}} {{end}}', '0=a 1=b 2=c '],
    ['{{range $k, $v := .Labels}}{{$k}}:{{$v}};{{end}}', 'com.example.x:y;tier:front;'],
    ['{{range .None}}x{{else}}empty{{end}}', 'empty'],
    ['{{range .Args}}{{if eq . "b"}}{{continue}}{{end}}{{.}}{{end}}', 'ac'],
    ['{{range .Args}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}', 'a'],
    ['{{with .Nested.Deep}}{{.Value}}{{end}}', '7'],
    ['{{with .None}}x{{else with .Name}}{{.}}{{end}}', 'web'],
    ['{{$x := 1}}{{if .Up}}{{$x = 2}}{{end}}{{$x}}', '2'],
    ['{{range .Args}}{{$.Name}}{{end}}', 'webwebweb'],
    ['a {{- " b " -}} c', 'a b c'],
  ])('%s', (source, expected) => {
    expect(render(source)).toBe(expected);
  });
});

describe('functions', () => {
  it.each([
    ['{{len .Args}} {{len .Name}} {{len .Labels}} {{len .None}}', '3 3 2 0'],
    ['{{index .Labels "com.example.x"}}{{index .Labels "missing"}}', 'y'],
    ['{{index .Nested "Deep" "Value"}}', '7'],
    ['{{slice .Id 7 10}} {{slice .Args 1}}', 'abc [b c]'],
    [
      '{{eq .Name "a" "web"}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt "b" "a"}} {{ge 1 2}}',
      'true true true true true false',
    ],
    ['{{and .Up .Name}} {{or .None "x"}} {{not .Up}}', 'web x false'],
    ['{{or .Name (index .Args 99)}}', 'web'],
    [
      '{{printf "%s:%d:%5.2f|%-5s|%5s|%05d|%q|%x|%v" "a" 3 1.5 "b" "c" 42 "q" 255 .Up}}',
      'a:3: 1.50|b    |    c|00042|"q"|ff|true',
    ],
    ['{{printf "%d" "x"}} {{printf "%s"}} {{printf "" 1}}', '%!d(string=x) %!s(MISSING) %!(EXTRA int=1)'],
    ['{{print "a" 1 2 "b"}}{{println 1 "x"}}', 'a1 2b1 x\n'],
    ['{{.Name | upper | printf "%s-%s" "x"}}', 'x-WEB'],
    ['{{join .Args ","}} {{join (split "a.b" ".") "/"}}', 'a,b,c a/b'],
    ['{{title "some words"}} {{lower "ABC"}}', 'Some Words abc'],
    ['{{pad .Name 1 2}}|{{truncate .Name 2}}|{{truncate .Name 9}}', ' web  |we|web'],
    ['{{html "<a>"}} {{urlquery "a b&c"}}', '&lt;a&gt; a+b%26c'],
  ])('%s', (source, expected) => {
    expect(render(source)).toBe(expected);
  });
});

describe('errors name the place', () => {
  it.each([
    ['{{.Name', 'template:1:1: the action is not closed'],
    ['a\n{{if .Up}}x', 'template:2:3: {{if}} is not closed'],
    ['{{end}}', 'template:1:3: {{end}} without a block to close'],
    ['{{nope .Name}}', 'template:1:3: unknown function: nope'],
    ['{{.Name.First}}', 'template:1:3: a string has no field .First'],
    ['{{.None.First.Second}}', 'template:1:3: .None is nil, so it has no .First'],
    ['{{eq 1 "a"}}', 'template:1:3: cannot compare a number with a string'],
    ['{{index .Args 7}}', 'template:1:3: index out of range: 7'],
    ['{{$x}}', 'template:1:3: undefined variable: $x'],
    ['{{len}}', 'template:1:3: len takes 1 argument, found 0'],
    ['{{"a}}', 'template:1:3: the string is not closed'],
    ['{{break}}', 'template:1:3: {{break}} outside of {{range}}'],
    ['{{}}', 'template:1:3: a value is missing'],
    ['{{.Name | 3}}', 'template:1:11: a value cannot take what is piped into it'],
    ['{{template "x"}}', 'template:1:3: {{template}} is not supported'],
  ])('%s', (source, message) => {
    expect(() => render(source)).toThrow(message);
  });

  it('suggests the function that was meant', () => {
    expect(() => render('{{uper .Name}}')).toThrow(expect.objectContaining({ hint: 'did you mean upper?' }));
  });
});

import { describe, expect, it } from 'vitest';
import { parseFlags } from '../../../src/cli/syntax/parse-flags.ts';
import { commandTable, type FlagSpec, flagsOf } from '../../../src/cli/syntax/spec.ts';

const flag = (name: string, type: FlagSpec['type'], more: Partial<FlagSpec> = {}): FlagSpec => ({
  name,
  type,
  status: 'done',
  help: '',
  ...more,
});
const specs = [
  flag('detach', 'bool', { short: 'd' }),
  flag('interactive', 'bool', { short: 'i' }),
  flag('tty', 'bool', { short: 't' }),
  flag('env', 'list', { short: 'e' }),
  flag('name', 'string', { default: 'none' }),
  flag('timeout', 'int', { aliases: ['time'] }),
  flag('shm-size', 'bytes'),
  flag('network', 'list', { aliases: ['net'] }),
  flag('memory', 'bytes', { short: 'm', status: 'planned', inert: ['0'] }),
];
const parse = (argv: string, interspersed = true) => parseFlags(argv.split(' '), specs, { interspersed });

describe('parseFlags', () => {
  it('reads values in every form', () => {
    const { values } = parse('--name=a --timeout 3 -e A=1 -eB=2 -e=C=3 --env D=4 --shm-size 64m');
    expect(values.string('name')).toBe('a');
    expect(values.number('timeout')).toBe(3);
    expect(values.list('env')).toEqual(['A=1', 'B=2', 'C=3', 'D=4']);
    expect(values.number('shm-size')).toBe(64 * 1024 ** 2);
  });

  it('reads bundles and explicit booleans', () => {
    const { values, args } = parse('-dit=false -- -x');
    expect([values.bool('detach'), values.bool('interactive'), values.bool('tty')]).toEqual([true, true, false]);
    expect(args).toEqual(['-x']);
    expect(parse('--detach=0').values.bool('detach')).toBe(false);
  });

  it('ends at the first argument where flags belong to somebody else', () => {
    expect(parse('-d image -t --xyz', false).args).toEqual(['image', '-t', '--xyz']);
    expect(parse('image -t', true).values.bool('tty')).toBe(true);
    expect(parse('image -- -t', false).args).toEqual(['image', '--', '-t']);
  });

  it('knows older names, defaults, and a dash as an argument', () => {
    expect(parse('--time 4').values.number('timeout')).toBe(4);
    expect(parse('--net=host').values.list('network')).toEqual(['host']);
    expect(parse('-').values.string('name')).toBe('none');
    expect(parse('-').args).toEqual(['-']);
  });

  it('takes --help and a free -h as a wish for help', () => {
    expect(parse('--help').help).toBe(true);
    expect(parse('-h').help).toBe(true);
  });

  it.each([
    ['--nope', 'unknown flag: --nope'],
    ['-dx', "unknown shorthand flag: 'x' in -x"],
    ['--name', 'flag needs an argument: --name'],
    ['-e', "flag needs an argument: 'e' in -e"],
    ['--=x', 'bad flag syntax: --=x'],
    ['--timeout x', 'invalid argument "x" for "--timeout" flag'],
    ['--shm-size 1q', 'invalid argument "1q" for "--shm-size" flag: invalid size: \'1q\''],
    ['-d=x', 'invalid argument "x" for "-d, --detach" flag'],
    ['-m 5m', 'flag --memory is not there yet'],
  ])('refuses %s', (argv, message) => {
    expect(() => parse(argv)).toThrow(message);
  });

  it('accepts a planned flag that asks for what happens anyway', () => {
    expect(parse('--memory=0').values.has('memory')).toBe(true);
  });
});

describe('the command table', () => {
  it.each(commandTable.commands.map((command) => [command.id, command] as const))(
    '%s has flags of its own names',
    (_id, command) => {
      const flags = flagsOf(command);
      const names = flags.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
      const letters = flags.flatMap(({ short = [] }) => short);
      expect(new Set(names).size).toBe(names.length);
      expect(new Set(letters).size).toBe(letters.length);
    },
  );

  it('names every command once', () => {
    const names = commandTable.commands.flatMap(({ path, aliases }) =>
      [path, ...aliases].map((words) => words.join(' ')),
    );
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => commandTable.planned.includes(name))).toEqual([]);
  });
});

import { assertNever } from '../../errors/index.ts';
import type { Command, Dockerfile, Heredoc, Instruction, KeyValue, Mount, Word } from '../ir.ts';
import type { EscapeToken } from '../words/shell-lex.ts';
import { afterFlags, commaField, flagValue, jsonForm, pathList } from './print-words.ts';

/**
 * Prints the IR as a Dockerfile: one line an instruction, comments above it, a blank line between stages. Parsing the
 * result gives the same IR but for spans, `original` and blank lines in continuations. Comments that stand inside an
 * instruction or below the last one are not in the IR, so they are not printed. Pure.
 */
export function printDockerfile(dockerfile: Dockerfile): string {
  const { directives, globalArgs, stages } = dockerfile;
  const head = directives.map(({ name, value }) => `# ${name}=${value}\n`);
  if (dockerfile.escape === '`' && !directives.some(({ name }) => name === 'escape')) head.push('# escape=`\n');
  const print = (instruction: Instruction) => printInstruction(instruction, dockerfile.escape);
  const blocks = [
    globalArgs.map(print).join(''),
    ...stages.map(({ from, instructions }) => [from, ...instructions].map(print).join('')),
  ].filter((block) => block !== '');
  const body = blocks.join('\n');
  // A comment at the very top could be taken for a directive; a blank line ends those.
  const gap = head.length > 0 || body.startsWith('#') ? '\n' : '';
  return head.join('') + gap + body;
}

/** One instruction with the comments above it and its heredoc bodies, each line ended. */
function printInstruction(instruction: Instruction, token: EscapeToken): string {
  const comments = instruction.comments.map((comment) => `# ${comment}\n`);
  const bodies = instruction.heredocs.map(({ content, name }) => `${content}${name}\n`);
  return `${comments.join('')}${ended(wrapped(sentence(instruction), token), token)}\n${bodies.join('')}`;
}

/** A line that ends in the escape character must not go on: a vertical tab behind it is white space to be dropped. */
function ended(line: string, token: EscapeToken): string {
  const text = line.replace(/[ \t]+$/, '');
  return text.endsWith(token) && text.at(-2) !== token ? `${line}\v` : line;
}

/** Longer lines are not read; bytes are at most three times as many as letters. */
const LONGEST = 65_535 / 3;

/** A line that is too long goes on in the next one, before a blank that stands before a letter. */
function wrapped(line: string, token: EscapeToken): string {
  if (line.length < LONGEST) return line;
  const pieces: string[] = [];
  let start = 0;
  for (let at = 1; at < line.length - 1; at++) {
    const breaks = line[at] === ' ' && /\w/.test(line[at + 1]!) && line[at - 1] !== token;
    if (!breaks || at - start < LONGEST / 4) continue;
    pieces.push(line.slice(start, at));
    start = at;
  }
  return [...pieces, line.slice(start)].join(`${token}\n`);
}

function sentence(instruction: Instruction): string {
  const parts = [instruction.keyword.text, ...flagsOf(instruction).map(([name, value]) => printFlag(name, value))];
  const rest = argumentsOf(instruction);
  return [...parts, ...(rest === '' ? [] : [rest])].join(' ');
}

type PrintedFlag = readonly [name: string, value: string | true];

function printFlag(name: string, value: string | true): string {
  return value === true ? `--${name}` : `--${name}=${flagValue(value)}`;
}

function flagsOf(instruction: Instruction): PrintedFlag[] {
  switch (instruction.kind) {
    case 'from':
      return given('platform', instruction.platform);
    case 'run':
      return [
        ...instruction.mounts.map((mount): PrintedFlag => ['mount', printMount(mount)]),
        ...given('network', instruction.network),
        ...given('security', instruction.security),
        ...instruction.devices.flatMap((device) => given('device', device)),
      ];
    case 'copy':
    case 'add':
      return [
        ...(instruction.kind === 'copy' ? given('from', instruction.from) : []),
        ...given('chown', instruction.chown),
        ...given('chmod', instruction.chmod),
        ...(instruction.link ? [['link', true] as const] : []),
        ...instruction.excludes.flatMap((exclude) => given('exclude', exclude)),
        ...(instruction.kind === 'copy' ? copyFlags(instruction) : addFlags(instruction)),
      ];
    case 'healthcheck':
      return [
        ...given('interval', instruction.interval),
        ...given('timeout', instruction.timeout),
        ...given('start-period', instruction.startPeriod),
        ...given('start-interval', instruction.startInterval),
        ...given('retries', instruction.retries),
      ];
    default:
      return [];
  }
}

const copyFlags = ({ parents }: Instruction & { readonly kind: 'copy' }): PrintedFlag[] =>
  parents ? [['parents', true]] : [];

const addFlags = ({ checksum, keepGitDir, unpack }: Instruction & { readonly kind: 'add' }): PrintedFlag[] => [
  ...given('checksum', checksum),
  ...(keepGitDir ? [['keep-git-dir', true] as const] : []),
  ...(unpack === undefined ? [] : [['unpack', String(unpack)] as const]),
];

function given(name: string, word: Word | undefined): PrintedFlag[] {
  return word ? [[name, word.text]] : [];
}

function printMount({ type, options }: Mount): string {
  const fields = options.map(({ key, value }) => commaField(value ? `${key}=${value.text}` : key));
  return [`type=${type}`, ...fields].join(',');
}

function argumentsOf(instruction: Instruction): string {
  switch (instruction.kind) {
    case 'from': {
      const { image, alias } = instruction;
      return afterFlags(alias ? `${image.text} ${alias.as.text} ${alias.word.text}` : image.text);
    }
    case 'run':
    case 'cmd':
    case 'entrypoint':
      return printCommand(instruction.command);
    case 'healthcheck':
      return instruction.command ? `CMD ${printCommand(instruction.command)}` : 'NONE';
    case 'shell':
      return jsonForm(instruction.argv);
    case 'copy':
    case 'add':
      return pathList([...instruction.sources, instruction.dest], instruction.heredocs.map(printMarker));
    case 'volume':
      return pathList(instruction.paths);
    case 'env':
    case 'label':
      return afterFlags(printPairs(instruction.pairs, instruction.legacy));
    case 'arg':
      return afterFlags(
        instruction.args.map(({ name, value }) => (value ? `${name.text}=${value.text}` : name.text)).join(' '),
      );
    case 'expose':
      return afterFlags(instruction.ports.map(({ text }) => text).join(' '));
    case 'workdir':
      return afterFlags(instruction.path.text);
    case 'user':
      return afterFlags(instruction.user.text);
    case 'stopsignal':
      return afterFlags(instruction.signal.text);
    case 'maintainer':
      return afterFlags(instruction.name.text);
    case 'onbuild':
      // The image keeps this text as it is written.
      return instruction.text.text;
    default:
      return assertNever(instruction);
  }
}

function printCommand(command: Command): string {
  return command.form === 'exec' ? jsonForm(command.argv) : afterFlags(command.text.text);
}

function printPairs(pairs: readonly KeyValue[], legacy: boolean): string {
  return pairs.map(({ key, value }) => `${key.text}${legacy ? ' ' : '='}${value.text}`).join(' ');
}

/** `[fd]<<[-]NAME`; quotes around the name keep the body from being expanded. */
function printMarker({ name, fd, expand, chomp }: Heredoc): string {
  const opening = `${fd === 0 ? '' : fd}<<${chomp ? '-' : ''}`;
  if (expand) return `${opening}${name.replace(/[\s"'\\$]/g, (char) => `\\${char}`)}`;
  return name.includes("'") ? `${opening}"${name.replace(/["$\\]/g, (char) => `\\${char}`)}"` : `${opening}'${name}'`;
}

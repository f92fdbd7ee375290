import { posix } from 'node:path';
import { formatPlatform } from '../../oci/index.ts';
import { chompTabs, soleHeredoc } from '../../parser/index.ts';
import type { Heredoc, RunInstruction } from '../../parser/ir.ts';
import { DEFAULT_SHELL } from './apply-config.ts';
import { mountsOf } from './apply-mount.ts';
import type { Entitlement, ExecMount } from './graph.ts';
import { runText } from './history.ts';
import { type Applying, addLayerStep } from './stage-state.ts';

const SCRIPT_FOLDER = '/dev/pipes';

export function applyRun(applying: Applying<RunInstruction>): void {
  const { stage, instruction } = applying;
  const { config, scope, planning } = stage;
  const { argv, script, summary } = commandOf(applying);
  const mounts: ExecMount[] = [...mountsOf(applying), ...(script ? [script] : [])];
  const network = instruction.network?.text ?? planning.options.network;
  addLayerStep(
    applying,
    {
      kind: 'exec',
      parent: stage.head,
      argv,
      env: scope.environment(),
      cwd: posix.normalize(config.WorkingDir || '/').replace(/(.)\/$/, '$1'),
      user: config.User ?? '',
      network: network === 'none' || network === 'host' ? network : 'default',
      mounts,
      platform: formatPlatform(stage.platform),
      entitlements: entitlementsOf(instruction),
      devices: instruction.devices.map((word) => word.text),
    },
    runText(scope.args(), argv),
    summary === undefined ? {} : { summary },
  );
}

interface RunCommand {
  readonly argv: string[];
  readonly script?: ExecMount;
  /** What a heredoc is about, for people. */
  readonly summary?: string;
}

function commandOf({ stage, instruction }: Applying<RunInstruction>): RunCommand {
  const { command, heredocs } = instruction;
  if (command.form === 'exec') return { argv: command.argv.map((word) => word.text) };
  const shell = stage.config.Shell ?? DEFAULT_SHELL;
  const text = command.text.text;
  const [first] = heredocs;
  if (!first) return { argv: [...shell, text] };
  if (heredocs.length > 1 || !soleHeredoc(text)) return { argv: [...shell, withBodies(text, heredocs)] };
  const body = first.chomp ? chompTabs(first.content) : first.content;
  const summary = firstLine(body);
  if (!body.startsWith('#!')) return { argv: [...shell, body], summary };
  const script: ExecMount = { type: 'script', target: SCRIPT_FOLDER, file: { name: first.name, content: body } };
  return { argv: [...shell, `${SCRIPT_FOLDER}/${first.name}`], script, summary };
}

function firstLine(body: string): string {
  const [first = '', ...rest] = body.trim().split(/\r?\n/);
  return rest.length > 0 ? `${first}...` : first;
}

/** The shell itself reads the heredocs when there is other text. */
function withBodies(text: string, heredocs: readonly Heredoc[]): string {
  if (heredocs.every((heredoc) => text.includes(`\n${heredoc.content}${heredoc.name}`))) return text;
  return [text, ...heredocs.map((heredoc) => `${heredoc.content}${heredoc.name}`)].join('\n');
}

/** What the instruction itself asks for: the network of the whole build is the caller's own choice. */
function entitlementsOf({ network, security }: RunInstruction): Entitlement[] {
  return [
    ...(network?.text === 'host' ? (['network.host'] as const) : []),
    ...(security?.text === 'insecure' ? (['security.insecure'] as const) : []),
  ];
}

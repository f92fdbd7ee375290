import type { StepKey, StepRecord } from '../ports.ts';
import type { KeyInputs } from './key.ts';

const MAX_NAMED = 3;
const MAX_SHOWN = 48;

/** How an input is called when it changed, by its first word. Others are called by their name. */
const LABELS: Readonly<Record<string, string>> = {
  command: 'command',
  cwd: 'working directory',
  user: 'user',
  network: 'network mode',
  platform: 'platform',
  sources: 'list of sources',
  destination: 'destination',
  owner: 'owner',
  mode: 'mode',
  options: 'flags',
  security: 'security mode',
  devices: 'list of devices',
  fetched: 'list of fetched sources',
  path: 'path',
};

/** Why a step is not in the cache, in words, from the newest record of the same place in the Dockerfile. Pure. */
export function explainMiss(key: StepKey, latest: StepRecord | undefined): string {
  if (!latest) return 'never built before';
  const before = latest.key.inputs;
  const after = key.inputs;
  if (before['kind'] !== after['kind']) return 'another instruction stood here before';
  const changed = changes(before, after);
  const own = changed.filter((name) => name !== 'parent');
  const reasons = own.slice(0, MAX_NAMED).map((name) => describe(name, before[name], after[name]));
  if (own.length > MAX_NAMED) reasons.push(`${own.length - MAX_NAMED} more changes`);
  if (changed.includes('parent')) reasons.push('parent step changed');
  if (reasons.length === 0) return 'its layer is no longer stored';
  return reasons.join(', ');
}

function changes(before: KeyInputs, after: KeyInputs): string[] {
  const names = new Set([...Object.keys(after), ...Object.keys(before)]);
  return [...names].filter((name) => before[name] !== after[name]).sort((a, b) => rank(a) - rank(b));
}

/** What the Dockerfile says comes before what the files say: the tree digest before its files says nothing more. */
function rank(name: string): number {
  return name === 'command' ? 0 : name.startsWith('tree ') ? 2 : 1;
}

function describe(name: string, before: string | undefined, after: string | undefined): string {
  const space = name.indexOf(' ');
  const kind = space < 0 ? name : name.slice(0, space);
  const rest = space < 0 ? '' : name.slice(space + 1);
  const verb = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  switch (kind) {
    case 'env':
      return verb === 'changed' ? `env ${rest} changed ${show(before)} -> ${show(after)}` : `env ${rest} ${verb}`;
    case 'file':
      return `file ${rest} ${verb}`;
    case 'tree':
      return `files below ${rest} ${verb}`;
    case 'remote':
      return `fetched source ${Number(rest) + 1} ${verb}`;
    case 'mount':
      return `mount ${rest} ${verb}`;
    case 'heredoc':
      return `heredoc ${rest.slice(rest.indexOf(' ') + 1)} ${verb}`;
    default:
      return `${LABELS[kind] ?? kind} ${verb}`;
  }
}

function show(value: string | undefined): string {
  if (value === undefined) return '';
  if (value.startsWith('text:')) return '(long value)';
  return value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}...` : value;
}

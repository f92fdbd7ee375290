import { nearest } from '../../diagnostics/index.ts';
import type { Mount, Word } from '../ir.ts';
import { commaFields } from '../lex/comma-fields.ts';
import type { Flag } from '../lex/flag.ts';
import type { Report } from '../report.ts';
import { readCommand, warnIfEmpty } from './command.ts';
import { common, type Lower, optional } from './context.ts';
import { readMount } from './mount.ts';

const NETWORKS = ['default', 'none', 'host'];
const SECURITY = ['sandbox', 'insecure'];

export const lowerRun: Lower = (node, context) => {
  const { flags, report } = context;
  const network = flags.word('network');
  const security = flags.word('security');
  if (network) checkChoice('dockerfile/invalid-network', network, NETWORKS, report);
  if (security) checkChoice('dockerfile/invalid-security', security, SECURITY, report);
  const mounts: Mount[] = [];
  for (const flag of node.flags) {
    if (flag.name === 'mount' && flag.value) {
      const mount = readMount(flag, report);
      if (mount) mounts.push(mount);
    }
    if (flag.name === 'device' && flag.value) checkDevice(flag, report);
  }
  warnIfEmpty(node, context);
  const command = readCommand(node, context);
  if (!command) return null;
  return {
    ...common(node),
    kind: 'run',
    command,
    mounts,
    ...optional('network', network),
    ...optional('security', security),
    devices: flags.words('device'),
  };
};

function checkChoice(
  code: 'dockerfile/invalid-network' | 'dockerfile/invalid-security',
  { text, span }: Word,
  allowed: readonly string[],
  report: Report,
): void {
  if (!allowed.includes(text)) report(code, span, { value: text, allowed, nearest: nearest(text, allowed) });
}

/** `name[,required[=bool]]`, or `name=NAME` in any place. The name itself may hold an `=`. */
function checkDevice(flag: Flag, report: Report): void {
  for (const [index, field] of commaFields(flag.value!.text).entries()) {
    const [key, value] = field.text.split('=', 2) as [string, string?];
    const known = key === 'name' || (key === 'required' && /^(true|false|1|0)?$/i.test(value ?? ''));
    if (field.text !== '' && (index === 0 || known)) continue;
    const { span } = flag.valuePart(field.start, field.end, field.text);
    report('dockerfile/invalid-device', span, { value: field.text });
  }
}

import { findingCodes } from '../../src/builder/findings.ts';
import { diagnosticCodes, type LintRule, lintRules, ruleNames, ruleUrl } from '../../src/parser/index.ts';
import { buildExamples } from './build-examples.ts';
import { checkExamples } from './check-examples.ts';
import { dockerfileExamples } from './dockerfile-examples.ts';
import type { Example } from './example.ts';
import { runExample } from './run-example.ts';

/** Everything that has a page: code, severity, example. */
export interface Entry {
  readonly code: string;
  readonly severity: string;
  readonly summary: string;
  readonly example: Example;
}

export const entries: readonly Entry[] = [
  ...Object.entries(diagnosticCodes).map(([code, { severity }]) => {
    const example = dockerfileExamples[code as keyof typeof dockerfileExamples];
    return { code, severity, summary: messageOf(code, example), example };
  }),
  ...ruleNames.map((rule) => ({
    code: `check/${rule}`,
    severity: 'warning',
    summary: lintRules[rule].summary,
    example: checkExamples[rule],
  })),
  ...Object.entries(findingCodes).map(([code, severity]) => {
    const example = buildExamples[code as keyof typeof buildExamples];
    return { code, severity, summary: example.why, example };
  }),
];

/** The pages below docs/, by path. */
export function diagnosticPages(): Map<string, string> {
  const pages = new Map<string, string>([['diagnostics/README.md', index()]]);
  for (const entry of entries) pages.set(`diagnostics/${entry.code}.md`, page(entry));
  return pages;
}

function index(): string {
  const section = (area: string, title: string, text: string) => {
    const rows = entries
      .filter(({ code }) => code.startsWith(`${area}/`))
      .map(({ code, severity, summary }) => `| [${code}](${code}.md) | ${severity} | ${cell(summary)} |`);
    return [`## ${title}`, '', text, '', '| code | | |', '|---|---|---|', ...rows, ''].join('\n');
  };
  return `${[
    '# Diagnostics',
    '',
    'Made by `node scripts/docs.ts` from the tables in src; the examples are in scripts/docs.',
    '',
    section('dockerfile', 'Reading a Dockerfile', 'All of them are told at once, before anything runs.'),
    section(
      'check',
      'Build checks',
      'Found by `berth build --check` and by every build. A line `# check=skip=NAME` at the top of the file, or above one ' +
        'instruction, switches a check off; `# check=error=true` lets findings stop the build. `--fix` mends what is marked.',
    ),
    section('build', 'Planning and running a build', 'These need the values of variables, the images or the files.'),
  ].join('\n')}`;
}

function page({ code, severity, summary, example }: Entry): string {
  const { why, wrong, right, options = {} } = example;
  const rule = ruleNames.find((name) => code === `check/${name}`);
  const row: LintRule | undefined = rule && lintRules[rule];
  const told = options.onlyInBuilds || code.startsWith('build/') ? '' : runExample(code, wrong, options).frames;
  return [
    `# ${code}`,
    '',
    ...(row ? [`${summary}.`, ''] : []),
    why,
    '',
    `Severity: ${severity}.${row?.fixable ? ' `berth build --check --fix` mends it where that is safe.' : ''}${
      row?.experimental ? ` Only checked with \`# check=experimental=${rule}\`.` : ''
    }`,
    '',
    '## Wrong',
    '',
    fenced(shortened(wrong), 'dockerfile'),
    ...(options.ignore ? ['with the .dockerignore', '', fenced(options.ignore, '')] : []),
    ...(told === '' ? [] : ['Berth says:', '', fenced(told, 'text')]),
    '## Right',
    '',
    fenced(shortened(right), 'dockerfile'),
    ...(rule ? [`The same check in Docker: ${ruleUrl(rule)}`, ''] : []),
  ].join('\n');
}

function messageOf(code: string, { wrong, options }: Example): string {
  return runExample(code, wrong, options).diagnostics[0]?.message ?? code;
}

function fenced(text: string, language: string): string {
  return `\`\`\`\`${language}\n${text.replace(/\n$/, '')}\n\`\`\`\`\n`;
}

/** A page is not the place for a line of 65,536 bytes. */
function shortened(text: string): string {
  return text.replace(/x{1000,}/g, 'xxxxxxxx...');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

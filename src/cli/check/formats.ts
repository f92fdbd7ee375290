import type { Diagnostic, Span } from '../../diagnostics/index.ts';
import { type CheckedText, type CheckFinding, lintRules, ruleNames, ruleUrl } from '../../parser/index.ts';
import { clientVersion } from '../commands/client-version.ts';

/** The JSON that buildx prints for `--call check,format=json`. */
export function checkJson({ findings, diagnostics, parsed }: CheckedText, failed: string | undefined): object {
  const error = diagnostics.find(({ severity, code }) => severity === 'error' && !code.startsWith('check/'));
  const buildError = error
    ? { message: error.message, location: location(linesOf(error.span)) }
    : failed && { message: failed };
  return {
    warnings: findings.map((finding) => ({
      ruleName: finding.rule,
      description: lintRules[finding.rule].summary,
      url: ruleUrl(finding.rule),
      detail: finding.detail,
      location: location(finding.lines),
    })),
    sources: [source(parsed.source)],
    ...(buildError ? { buildError } : {}),
  };
}

export function source({ file, text }: { readonly file: string; readonly text: string }): object {
  return { filename: file, language: 'Dockerfile', data: Buffer.from(text).toString('base64') };
}

export function location(lines: CheckFinding['lines']): object {
  return { ranges: lines.map(([first, last]) => ({ start: { line: first }, end: { line: last } })) };
}

/** The instruction's lines as one list of ranges. */
export function linesOf({ start, end }: Span): CheckFinding['lines'] {
  return Array.from({ length: end.line - start.line + 1 }, (_, index) => [start.line + index, start.line + index]);
}

/** @see SARIF 2.1.0 */
export function checkSarif({ diagnostics, parsed }: CheckedText): object {
  const codes = [...new Set([...ruleNames.map((name) => `check/${name}`), ...diagnostics.map(({ code }) => code)])];
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Berth',
            version: clientVersion,
            rules: codes.map(sarifRule),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: diagnostics.map((diagnostic) => ({
          ruleId: diagnostic.code,
          ruleIndex: codes.indexOf(diagnostic.code),
          level: diagnostic.severity === 'info' ? 'note' : diagnostic.severity,
          message: { text: sentence(diagnostic) },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: encodeURI(parsed.source.file) },
                region: region(diagnostic.span),
              },
            },
          ],
        })),
      },
    ],
  };
}

function sarifRule(code: string): object {
  const name = ruleNames.find((rule) => code === `check/${rule}`);
  if (!name) return { id: code };
  return { id: code, name, shortDescription: { text: lintRules[name].summary }, helpUri: ruleUrl(name) };
}

function region({ start, end }: Span): object {
  return { startLine: start.line, startColumn: start.column, endLine: end.line, endColumn: end.column };
}

/** Lines that GitHub Actions turns into notes at the changed lines. */
export function checkGithub({ diagnostics }: CheckedText): string {
  return diagnostics
    .map((diagnostic) => {
      const { severity, span, code } = diagnostic;
      const level = severity === 'info' ? 'notice' : severity;
      const place = [
        `file=${property(span.file)}`,
        `line=${span.start.line}`,
        `endLine=${span.end.line}`,
        `title=${property(code)}`,
      ];
      return `::${level} ${place.join(',')}::${data(sentence(diagnostic))}\n`;
    })
    .join('');
}

function sentence({ message, hint }: Diagnostic): string {
  return hint === undefined ? message : `${message}. ${hint[0]!.toUpperCase()}${hint.slice(1)}`;
}

const data = (text: string) => text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
const property = (text: string) => data(text).replace(/:/g, '%3A').replace(/,/g, '%2C');

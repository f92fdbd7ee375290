import type { Severity } from '../diagnostics/index.ts';

/** What a message is made from. Unused fields are absent; every code names the ones it needs. */
export interface CodeFacts {
  readonly name?: string;
  readonly value?: string;
  readonly instruction?: string | undefined;
  readonly form?: string;
  readonly example?: string;
  readonly nearest?: string | undefined;
  readonly allowed?: readonly string[];
  readonly line?: number | undefined;
  readonly count?: number;
}

export interface DiagnosticCode {
  readonly severity: Severity;
  readonly message: (facts: CodeFacts) => string;
  /** What to write instead; undefined when the facts give no good advice. */
  readonly hint: (facts: CodeFacts) => string | undefined;
}

const didYouMean = (nearest: string | undefined) => (nearest ? `did you mean ${nearest}?` : undefined);
const oneOf = (allowed: readonly string[] = []) => `use one of ${allowed.join(', ')}`;
const short = (value: string | undefined) => (value && value.length > 60 ? `${value.slice(0, 57)}...` : (value ?? ''));
const write = ({ form, example }: CodeFacts) => `write it as ${form}, for example: ${example}`;

function substitutionProblem(value = ''): string {
  const modifier = /^unsupported modifier \((.*)\) in substitution$/s.exec(value)?.[1];
  if (modifier !== undefined) return `a Dockerfile knows no variables with ${short(modifier)} behind the name`;
  if (value === "missing '}'") return `this \${ is never closed by a }`;
  return short(value.replace(/^bad substitution: /, ''));
}

type CodeOf = (message: DiagnosticCode['message'], hint: DiagnosticCode['hint']) => DiagnosticCode;
const error: CodeOf = (message, hint) => ({ severity: 'error', message, hint });
const warning: CodeOf = (message, hint) => ({ severity: 'warning', message, hint });

/** Every diagnostic that reading a Dockerfile can give. */
export const diagnosticCodes = {
  'dockerfile/no-instructions': error(
    () => 'the Dockerfile has no instructions',
    () => 'start with a base image, for example: FROM alpine:3.20',
  ),
  'dockerfile/no-stage': error(
    () => 'the Dockerfile has no FROM, so there is nothing to build on',
    () => 'say what to start from, below the ARGs if there are any, for example: FROM alpine:3.20',
  ),
  'dockerfile/before-from': error(
    ({ instruction }) => `${instruction} comes before the first FROM`,
    () => 'put a FROM line above it, for example: FROM alpine:3.20 (only ARG may come earlier)',
  ),
  'dockerfile/line-too-long': error(
    () => 'the line is longer than 65,535 bytes',
    () => 'split it with line continuations, or move the content into a file and COPY it',
  ),
  'dockerfile/unterminated-heredoc': error(
    ({ name }) => `heredoc ${name} has no end: no line is exactly ${name}`,
    ({ name, line, value }) => {
      if (!line) return `add a line with only ${name} after the body`;
      return value === '-'
        ? `line ${line} has ${name} with spaces around it; a <<- body may be indented with tabs only`
        : `line ${line} has ${name} with white space around it; remove that, or open with <<-${name} and indent with tabs`;
    },
  ),
  'dockerfile/invalid-escape': error(
    ({ value }) => `the escape character cannot be ${short(value)}`,
    () => 'use # escape=\\ (the default) or # escape=` (for Windows paths)',
  ),
  'dockerfile/duplicate-directive': error(
    ({ name }) => `the directive # ${name}= is given twice`,
    () => 'keep one of the two lines',
  ),
  'dockerfile/unsupported-syntax': error(
    ({ value }) => `the front end ${short(value)} is not supported`,
    () => 'Berth reads the docker/dockerfile language itself; remove the line or write # syntax=docker/dockerfile:1',
  ),
  'dockerfile/invalid-check': error(
    ({ value }) => `# check= has no option ${short(value) || '(blank)'}`,
    () => 'write # check=skip=RULE,RULE and, behind a semicolon, error=true or experimental=all',
  ),
  'dockerfile/unknown-check': warning(
    ({ name }) => `there is no build check named ${short(name)}`,
    ({ nearest }) => didYouMean(nearest) ?? 'the names of the checks are listed in docs/diagnostics',
  ),
  'dockerfile/unknown-instruction': error(
    ({ name }) => `unknown instruction: ${short(name)}`,
    ({ nearest, line, value, instruction, name = '' }) => {
      if (nearest) return didYouMean(nearest);
      if (instruction) return `a line begins with its instruction: remove ${short(name)} before ${instruction}`;
      if (name.startsWith('```')) return 'this is a mark of Markdown: remove the line';
      if (/^[\w-]+:$/.test(name))
        return 'this looks like YAML, as in a Compose file; a Dockerfile begins with FROM IMAGE';
      const run = `to run a command during the build, write RUN ${short(name)} ...`;
      return line
        ? `${run}; if it belongs to the instruction of line ${line}, end the line before it with ${value}`
        : run;
    },
  ),
  'dockerfile/lone-escape': error(
    () => 'a line continues an instruction, but there is none',
    ({ value }) => `remove the ${value}, or write the instruction before it`,
  ),
  'dockerfile/unknown-flag': error(
    ({ name, instruction }) => `${instruction} has no flag --${short(name)}`,
    ({ nearest, allowed = [], instruction }) =>
      didYouMean(nearest && `--${nearest}`) ??
      (allowed.length > 0
        ? `${instruction} takes ${allowed.map((flag) => `--${flag}`).join(', ')}`
        : `${instruction} takes no flags; write -- before the arguments if they start with --`),
  ),
  'dockerfile/duplicate-flag': error(
    ({ name }) => `flag --${name} is given twice`,
    () => 'keep one of the two',
  ),
  'dockerfile/flag-needs-value': error(
    ({ name }) => `flag --${name} needs a value`,
    ({ example }) => `write the value after an equals sign, for example: ${example}`,
  ),
  'dockerfile/flag-needs-boolean': error(
    ({ name, value }) => `flag --${name} is on or off, not ${short(value)}`,
    ({ name }) => `write --${name}, --${name}=true or --${name}=false`,
  ),
  'dockerfile/unclosed-flag': error(
    ({ name }) => `flag --${short(name)} has an opening quote that is never closed`,
    () => 'add the closing quote at the end of the value',
  ),
  'dockerfile/late-flag': warning(
    ({ value, instruction }) => `${short(value)} comes after the first argument, so ${instruction} takes it for a path`,
    ({ instruction }) => `put flags directly after ${instruction}`,
  ),
  'dockerfile/missing-arguments': error(
    ({ instruction, count }) =>
      count === 0 ? `${instruction} has no arguments` : `${instruction} needs more arguments`,
    write,
  ),
  'dockerfile/json-not-strings': error(
    ({ value }) => `a JSON form holds only strings, but ${short(value)} is not one`,
    () => 'put double quotes around each argument, for example: ["program", "1"]',
  ),
  'dockerfile/json-ignored': warning(
    ({ instruction, value }) => `this looks like a JSON array but is not one, so ${instruction} takes it as ${value}`,
    () => 'use straight double quotes, double each backslash, and put no comma before the closing bracket',
  ),
  'dockerfile/empty-command': warning(
    ({ instruction }) => `${instruction} has no command`,
    ({ form, example }) => write({ form: form!, example: example! }),
  ),
  'dockerfile/missing-equals': error(
    ({ value, instruction }) => `${short(value)} has no = in this ${instruction}`,
    ({ value = '', example }) => {
      if (value.startsWith('#')) return 'a comment stands on a line of its own';
      if (/[\u201c\u201d\u2018\u2019]/.test(value)) return 'use straight quotes (" or \'), not typographic ones';
      return example
        ? `if it belongs to the value before it, put that into quotes: ${short(example)}`
        : 'write NAME=VALUE pairs';
    },
  ),
  'dockerfile/spaced-equals': error(
    ({ name }) => `there are blanks around the = of ${short(name)}`,
    ({ example }) => `write ${short(example)}`,
  ),
  'dockerfile/missing-value': error(
    ({ name, instruction }) => `${instruction} ${short(name)} has no value`,
    ({ name, instruction }) =>
      `write ${instruction} ${short(name)}=VALUE, or ${instruction} ${short(name)}="" for an empty value`,
  ),
  'dockerfile/blank-name': error(({ instruction }) => `${instruction} has a blank name before the =`, write),
  'dockerfile/invalid-from': error(
    ({ value }) => (value ? `FROM cannot make sense of ${short(value)}` : 'FROM ends after AS'),
    write,
  ),
  'dockerfile/missing-as': error(
    ({ value }) => `FROM has ${short(value)} after the image`,
    ({ name, value }) =>
      value?.startsWith('--')
        ? `flags come before the image: FROM ${short(value)} ${short(name)}`
        : /[:@]/.test(name ?? '')
          ? `to name the stage, write FROM ${short(name)} AS ${short(value)}`
          : `a tag stands behind a colon: FROM ${short(name)}:${short(value)}; a name for the stage behind AS: FROM ${short(name)} AS ${short(value)}`,
  ),
  'dockerfile/invalid-stage-name': error(
    ({ name }) => `${short(name)} is not a valid stage name`,
    () => 'start with a letter and go on with letters, digits, -, _ and dots, for example: build',
  ),
  'dockerfile/heredoc-destination': error(
    ({ instruction }) => `${instruction} cannot write to a heredoc`,
    ({ instruction, name }) => `the destination is a path and comes last: ${instruction} <<${name} /path/to/file`,
  ),
  'dockerfile/variable-in-from': error(
    ({ name }) => `${name} cannot hold a variable`,
    () => 'give the image a stage of its own (FROM $IMAGE AS base) and name that stage here',
  ),
  'dockerfile/bad-substitution': error(
    ({ value }) => substitutionProblem(value),
    () =>
      `write \${NAME}, \${NAME:-default} or \${NAME:+instead}; to keep a $ as text, put it in single quotes or escape it`,
  ),
  'dockerfile/unclosed-quote': error(
    ({ value }) => `the quote ${/\((.)\)/.exec(value ?? '')?.[1] ?? ''} is never closed`,
    () => 'put the same quote at the end of the text; to keep it as text, put the escape character (\\) before it',
  ),
  'dockerfile/unknown-mount-type': error(
    ({ value }) => `unknown mount type: ${short(value)}`,
    ({ nearest, allowed }) => didYouMean(nearest) ?? oneOf(allowed),
  ),
  'dockerfile/unknown-mount-option': error(
    ({ name }) => `unknown mount option: ${short(name)}`,
    ({ nearest, allowed }) => didYouMean(nearest) ?? oneOf(allowed),
  ),
  'dockerfile/mount-option-not-allowed': error(
    ({ name, value }) => `${value} mounts have no option ${name}`,
    ({ value, allowed }) => `${value} mounts take ${allowed?.join(', ')}`,
  ),
  'dockerfile/mount-option-needs-value': error(
    ({ name }) => (name ? `mount option ${short(name)} needs a value` : 'there is an empty mount option'),
    ({ name }) =>
      name
        ? `write ${short(name)}=VALUE`
        : 'remove the comma: options follow each other without blanks, as type=cache,target=/c',
  ),
  'dockerfile/invalid-mount-value': error(
    ({ name, value }) => `mount option ${name} cannot be ${value === '' ? 'empty' : short(value)}`,
    ({ example }) => example,
  ),
  'dockerfile/incomplete-mount': error(
    ({ value, name }) => `${value} mounts need ${name}`,
    ({ example }) => `for example: ${example}`,
  ),
  'dockerfile/conflicting-mount-options': error(
    ({ name, value }) => `mount options ${name} and ${value} say the same thing`,
    ({ value }) => `remove ${value}`,
  ),
  'dockerfile/invalid-network': error(
    ({ value }) => `unknown network mode: ${short(value)}`,
    ({ nearest, allowed }) => didYouMean(nearest) ?? oneOf(allowed),
  ),
  'dockerfile/invalid-security': error(
    ({ value }) => `unknown security mode: ${short(value)}`,
    ({ nearest, allowed }) => didYouMean(nearest) ?? oneOf(allowed),
  ),
  'dockerfile/invalid-device': error(
    ({ value }) => `${short(value)} is not a device option`,
    () => 'write --device=VENDOR/CLASS=NAME, and ,required if the build must not go on without it',
  ),
  'dockerfile/unknown-healthcheck': error(
    ({ value }) => `HEALTHCHECK has no type ${short(value)}`,
    ({ value }) => `write HEALTHCHECK CMD ${short(value)} ... to run a command, or HEALTHCHECK NONE`,
  ),
  'dockerfile/healthcheck-none-arguments': error(
    () => 'HEALTHCHECK NONE takes no arguments',
    () => 'remove what comes after NONE, or write HEALTHCHECK CMD to run a command',
  ),
  'dockerfile/invalid-duration': error(
    ({ name, value }) => `--${name} needs a time, and ${short(value)} is not one`,
    ({ value }) =>
      /^\d+$/.test(value ?? '')
        ? `add a unit: ${value}s`
        : 'write numbers with a unit, for example: 30s, 1m30s or 500ms',
  ),
  'dockerfile/duration-too-short': error(
    ({ name, value }) => `--${name} is ${value}, shorter than 1ms`,
    () => 'use 1ms or more, or 0s for the default',
  ),
  'dockerfile/invalid-retries': error(
    ({ value }) => `--retries needs a whole number from 0 up, not ${short(value)}`,
    () => 'for example: --retries=3',
  ),
  'dockerfile/empty-volume': error(
    () => 'a VOLUME path is empty',
    () => 'name a directory, for example: VOLUME /data',
  ),
  'dockerfile/shell-form': error(
    () => 'SHELL needs the JSON form',
    ({ example }) => `for example: ${example}`,
  ),
  'dockerfile/onbuild-not-allowed': error(
    ({ instruction }) => `${instruction} cannot be an ONBUILD trigger`,
    ({ instruction }) =>
      instruction === 'ONBUILD'
        ? 'a trigger runs once, in the next build: remove one ONBUILD'
        : 'put it in the Dockerfile that builds on this image',
  ),
  'dockerfile/not-one-instruction': error(
    () => 'this must be exactly one instruction',
    () => 'write one instruction, and give the option again for each further one',
  ),
  'dockerfile/instruction-not-allowed': error(
    ({ instruction }) => `${instruction} cannot be used here`,
    ({ allowed }) => oneOf(allowed),
  ),
} as const satisfies Readonly<Record<string, DiagnosticCode>>;

export type DockerfileCode = keyof typeof diagnosticCodes;

/** What the words of a finding are made from; each rule names the ones it needs. */
export interface RuleFacts {
  readonly name?: string;
  readonly value?: string;
  readonly instruction?: string;
  readonly wanted?: string;
  readonly nearest?: string | undefined;
  readonly replacement?: string | undefined;
}

export interface LintRule {
  /** One sentence for lists and tools. */
  readonly summary: string;
  /** The finding in our words. */
  readonly message: (facts: RuleFacts) => string;
  readonly hint: (facts: RuleFacts) => string;
  /** The finding in the words that BuildKit uses, for tools that read its JSON. */
  readonly detail: (facts: RuleFacts) => string;
  /** `--fix` can mend at least the plain cases. */
  readonly fixable: boolean;
  /** Only checked when asked for: `# check=experimental=NAME`. */
  readonly experimental?: boolean;
  /** Looks at a file as a whole, or only at what the wanted stage is built from. */
  readonly covers: 'file' | 'built';
}

const orElse = (nearest: string | undefined, otherwise: string) => (nearest ? `did you mean ${nearest}?` : otherwise);
/** Two letters that differ in a name of two letters are no typo. */
export function isLikely(name: string | undefined, nearest: string | undefined): string | undefined {
  return name !== undefined && name.length > 2 ? nearest : undefined;
}

const suggested = (nearest: string | undefined) => (nearest ? ` (did you mean ${nearest}?)` : '');
const quoted = (text = '') => JSON.stringify(text);

/**
 * The build checks, by the names that `# check=skip=` knows.
 * @see Docker's build checks reference
 */
export const lintRules = {
  StageNameCasing: {
    summary: 'A stage name is written in lower case',
    message: ({ name }) => `the stage name ${name} has capital letters`,
    hint: ({ replacement }) => `write ${replacement}: stage names are compared in lower case`,
    detail: ({ name }) => `Stage name '${name}' should be lowercase`,
    fixable: true,
    covers: 'file',
  },
  FromAsCasing: {
    summary: 'AS has the same case as FROM',
    message: ({ name, instruction }) => `${instruction} and ${name} are not written in the same case`,
    hint: ({ replacement }) => `write ${replacement}`,
    detail: ({ name, instruction }) => `'${name}' and '${instruction}' keywords' casing do not match`,
    fixable: true,
    covers: 'file',
  },
  NoEmptyContinuation: {
    summary: 'A continued instruction has no blank lines inside',
    message: () => 'there is a blank line inside a continued instruction',
    hint: () => 'remove it, or put a # on it: Docker will refuse such lines some day',
    detail: () => 'Empty continuation line',
    fixable: true,
    covers: 'file',
  },
  ConsistentInstructionCasing: {
    summary: 'All instructions are written in the same case',
    message: ({ name, wanted }) => `${name} is written differently: most instructions here are in ${wanted}`,
    hint: ({ replacement }) => `write ${replacement}`,
    detail: ({ name, wanted }) =>
      `Command '${name}' should match the case of the command majority (${wanted === 'capitals' ? 'uppercase' : 'lowercase'})`,
    fixable: true,
    covers: 'file',
  },
  DuplicateStageName: {
    summary: 'Two stages do not have the same name',
    message: ({ name }) => `there is already a stage named ${name}`,
    hint: () => 'give one of them another name: what refers to this one gets the stage that comes last before it',
    detail: ({ name }) => `Duplicate stage name ${quoted(name)}, stage names should be unique`,
    fixable: false,
    covers: 'file',
  },
  ReservedStageName: {
    summary: 'No stage is named scratch or context',
    message: ({ name }) => `a stage cannot well be named ${name}: that word has a meaning of its own`,
    hint: ({ name }) =>
      name === 'scratch'
        ? 'choose another name: FROM scratch always means the empty image'
        : 'choose another name: context means the files that the build was given',
    detail: ({ name }) => `Stage name should not use the same name as reserved stage ${quoted(name)}`,
    fixable: false,
    covers: 'file',
  },
  JSONArgsRecommended: {
    summary: 'CMD and ENTRYPOINT are written in the JSON form',
    message: ({ instruction }) =>
      `${instruction} in this form runs inside a shell, which passes no signals on: stopping the container has to kill the program`,
    hint: ({ instruction, replacement }) =>
      replacement
        ? `write it as a JSON array: ${instruction} ${replacement}`
        : `write it as a JSON array, for example: ${instruction} ["program", "argument"]; ` +
          `if it needs a shell, say so with a SHELL instruction or start the program with exec`,
    detail: ({ instruction }) =>
      `JSON arguments recommended for ${instruction} to prevent unintended behavior related to OS signals`,
    fixable: true,
    covers: 'built',
  },
  MaintainerDeprecated: {
    summary: 'The author is a label, not MAINTAINER',
    message: () => 'MAINTAINER is deprecated: an author is given by a label',
    hint: ({ replacement }) => `write ${replacement}`,
    detail: () => 'Maintainer instruction is deprecated in favor of using label',
    fixable: true,
    covers: 'file',
  },
  UndefinedArgInFrom: {
    summary: 'A variable in FROM is declared by an ARG above the first FROM',
    message: ({ name }) => `no ARG above the first FROM declares ${name}`,
    hint: ({ name, nearest }) => orElse(nearest, `add a line above the first FROM: ARG ${name}=VALUE`),
    detail: ({ name, nearest }) => `FROM argument '${name}' is not declared${suggested(nearest)}`,
    fixable: false,
    covers: 'file',
  },
  WorkdirRelativePath: {
    summary: 'The first WORKDIR of a stage is an absolute path',
    message: ({ value }) =>
      value ? `${value} is a relative path, so where it leads depends on the base image` : 'the path is empty',
    hint: ({ value }) => `begin with a slash, for example: WORKDIR /${value || 'app'}`,
    detail: ({ value }) => `Relative workdir ${quoted(value)} can have unexpected results if the base image changes`,
    fixable: false,
    covers: 'built',
  },
  UndefinedVar: {
    summary: 'A variable is defined before it is used',
    message: ({ name }) => `the variable ${name} is not defined here, so it is empty`,
    hint: ({ name, nearest }) =>
      orElse(
        isLikely(name, nearest),
        `define it above in this stage with ARG ${name} or ENV ${name}=VALUE; if $${name} is meant as text, escape the $`,
      ),
    detail: ({ name, nearest }) => `Usage of undefined variable '$${name}'${suggested(nearest && `$${nearest}`)}`,
    fixable: false,
    covers: 'built',
  },
  MultipleInstructionsDisallowed: {
    summary: 'CMD, ENTRYPOINT and HEALTHCHECK stand once in a stage',
    message: ({ instruction, value }) => `this ${instruction} has no effect: line ${value} replaces it`,
    hint: () => 'remove the one that is not meant',
    detail: ({ instruction }) =>
      `Multiple ${instruction} instructions should not be used in the same stage because only the last one will be used`,
    fixable: false,
    covers: 'built',
  },
  LegacyKeyValueFormat: {
    summary: 'ENV and LABEL are written as name=value',
    message: ({ instruction }) => `${instruction} is written in the old form, without an equals sign`,
    hint: ({ instruction, name, replacement }) =>
      replacement ? `write ${replacement}` : `write ${instruction} ${name}="value"`,
    detail: ({ instruction }) =>
      `"${instruction} key=value" should be used instead of legacy "${instruction} key value" format`,
    fixable: true,
    covers: 'file',
  },
  InvalidBaseImagePlatform: {
    summary: 'The base image is made for the platform that is built for',
    message: ({ name, value, wanted }) => `the image ${name} is for ${value}, but this stage is built for ${wanted}`,
    hint: ({ wanted }) => `use an image that exists for ${wanted}, or build with --platform of what the image is for`,
    detail: ({ name, value, wanted }) =>
      `Base image ${name} was pulled with platform ${quoted(value)}, expected ${quoted(wanted)} for current build`,
    fixable: false,
    covers: 'built',
  },
  RedundantTargetPlatform: {
    summary: 'FROM does not ask for the platform that it gets anyway',
    message: ({ value }) => `--platform=${value} changes nothing: a stage is built for the target platform anyway`,
    hint: () => 'remove the flag',
    detail: ({ value }) =>
      `Setting platform to predefined ${value} in FROM is redundant as this is the default behavior`,
    fixable: false,
    covers: 'file',
  },
  SecretsUsedInArgOrEnv: {
    summary: 'ARG and ENV hold no secrets',
    message: ({ instruction, name }) =>
      `${name} looks like a secret, and what ${instruction} holds can be read by everybody who has the image`,
    hint: ({ name }) =>
      `give it to the steps that need it: RUN --mount=type=secret,id=${name},env=${name} COMMAND, and build with --secret id=${name}`,
    detail: ({ instruction, name }) =>
      `Do not use ARG or ENV instructions for sensitive data (${instruction} ${quoted(name)})`,
    fixable: false,
    covers: 'built',
  },
  InvalidDefaultArgInFrom: {
    summary: 'Every ARG that FROM uses has a default that makes a valid image name',
    message: ({ value }) => `without --build-arg, ${value} is not an image name`,
    hint: () => 'give each ARG that stands in it a default, above the first FROM, for example: ARG VERSION=latest',
    detail: ({ value }) => `Default value for ARG ${value} results in empty or invalid base image name`,
    fixable: false,
    covers: 'file',
  },
  FromPlatformFlagConstDisallowed: {
    summary: 'FROM --platform is not a constant',
    message: ({ value }) => `this stage is always built for ${value}, whatever platform is asked for`,
    hint: () =>
      'remove the flag, use $BUILDPLATFORM for tools that run during the build, or put the platform into the stage name',
    detail: ({ value }) => `FROM --platform flag should not use constant value ${quoted(value)}`,
    fixable: false,
    covers: 'file',
  },
  CopyIgnoredFile: {
    summary: 'COPY and ADD do not name files that .dockerignore leaves out',
    message: ({ value }) => `${value} is left out by the ignore file, so it cannot be copied`,
    hint: ({ wanted }) => `remove the pattern ${wanted} from the ignore file, or add !PATH below it for what you need`,
    detail: ({ instruction, value }) =>
      `Attempting to ${instruction} file ${quoted(value)} that is excluded by .dockerignore`,
    fixable: false,
    covers: 'built',
  },
  InvalidDefinitionDescription: {
    summary: 'A comment above FROM or ARG begins with the name that it describes',
    message: ({ instruction }) => `the comment above this ${instruction} does not begin with the name it describes`,
    hint: ({ name }) => `write # ${name} and the description; if it is no description, put a line with only # below it`,
    detail: ({ instruction, name }) =>
      `Comment for ${instruction} should follow the format: \`# ${name} <description>\``,
    fixable: false,
    experimental: true,
    covers: 'file',
  },
  ExposeProtoCasing: {
    summary: 'The protocol in EXPOSE is written in lower case',
    message: ({ value }) => `the protocol of ${value} has capital letters`,
    hint: ({ replacement }) => `write ${replacement}`,
    detail: ({ value }) => `Defined protocol '${value}' in EXPOSE instruction should be lowercase`,
    fixable: true,
    covers: 'built',
  },
  ExposeInvalidFormat: {
    summary: 'EXPOSE names ports of the container only',
    message: ({ value }) => `${value} names an address or port of the host, which EXPOSE cannot set`,
    hint: ({ replacement }) => `write EXPOSE ${replacement}; the host's side is chosen by docker run -p`,
    detail: ({ value }) => `EXPOSE instruction should not define an IP address or host-port mapping, found '${value}'`,
    fixable: false,
    covers: 'built',
  },
} as const satisfies Readonly<Record<string, LintRule>>;

export type RuleName = keyof typeof lintRules;

export const ruleNames: readonly RuleName[] = Object.keys(lintRules) as RuleName[];

/** Where Docker tells about a rule, for tools that link to it. */
export function ruleUrl(rule: RuleName): string {
  const kebab = rule.replace(/([a-z])([A-Z])|([A-Z])([A-Z][a-z])/g, '$1$3-$2$4').toLowerCase();
  return `https://docs.docker.com/go/dockerfile/rule/${kebab}/`;
}

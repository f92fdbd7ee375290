import type { Check } from '../check.ts';

const SECRET = /(?:^|_)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const HARMLESS = /(?:^|_)(?:public|file|version)(?:_|$)/i;

/** SecretsUsedInArgOrEnv. */
export const secretChecks: Check = {
  step(instruction, _, report) {
    const names =
      instruction.kind === 'env'
        ? instruction.pairs.map(({ key }) => key)
        : instruction.kind === 'arg'
          ? instruction.args.map(({ name }) => name)
          : [];
    for (const { text: name, span } of names) {
      if (!SECRET.test(name) || HARMLESS.test(name)) continue;
      report('SecretsUsedInArgOrEnv', instruction, { instruction: instruction.kind.toUpperCase(), name }, { span });
    }
  },
};

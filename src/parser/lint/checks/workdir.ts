import type { Check } from '../check.ts';

/** WorkdirRelativePath: the first WORKDIR of a stage and of what it is based on in this file. */
export const workdirChecks: Check = {
  step(instruction, { scope, file }, report) {
    if (instruction.kind !== 'workdir' || scope.workdir) return;
    const { value, errors } = scope.expand(instruction.path);
    if (errors.length > 0 || value.startsWith('/')) return;
    const isWindows = file.options.platform?.os === 'windows' || file.dockerfile.escape === '`';
    if (isWindows && /^([a-z]:)?[\\/]/i.test(value)) return;
    // Only the image could say what the variable holds.
    if (!scope.complete && value === '' && instruction.path.text.includes('$')) return;
    report('WorkdirRelativePath', instruction, { value }, { span: instruction.path.span });
  },
};

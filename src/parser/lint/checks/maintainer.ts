import type { Instruction } from '../../ir.ts';
import type { Check } from '../check.ts';
import { isContiguous } from '../finding.ts';
import { prefersLower } from './casing.ts';

/** MaintainerDeprecated. */
export const maintainerChecks: Check = {
  file(file, report) {
    const { escape: token, stages } = file.dockerfile;
    const label = prefersLower(file) ? 'label' : 'LABEL';
    for (const instruction of stages.flatMap(({ instructions }): readonly Instruction[] => instructions)) {
      if (instruction.kind !== 'maintainer') continue;
      const { name, keyword } = instruction;
      // MAINTAINER is taken as it stands; in a LABEL quotes, variables and escapes would count.
      const value = name.text.replace(/["$\\`]/g, (char) =>
        char === '"' || char === '$' || char === token ? token + char : char,
      );
      const replacement = `${label} org.opencontainers.image.authors="${value}"`;
      const whole = { ...keyword.span, end: name.span.end };
      const oneLine = isContiguous(name) && keyword.span.start.line === name.span.start.line;
      const fix = oneLine ? [{ span: whole, newText: replacement }] : undefined;
      report('MaintainerDeprecated', instruction, { replacement }, { fix });
    }
  },
};

import type { Check } from '../check.ts';

/** CopyIgnoredFile. Says nothing when a `!` pattern may bring files back. */
export const copiedFileChecks: Check = {
  step(instruction, { scope, file }, report) {
    const { ignore } = file.options;
    if (!ignore || ignore.mayContainExceptions) return;
    if (instruction.kind !== 'copy' && instruction.kind !== 'add') return;
    if (instruction.kind === 'copy' && instruction.from) return;
    for (const source of instruction.sources) {
      const { value, errors } = scope.expand(source);
      if (errors.length > 0 || isRemote(value)) continue;
      const path = contextPath(value);
      if (!ignore.ignores(path)) continue;
      const facts = {
        instruction: instruction.kind === 'copy' ? 'Copy' : 'Add',
        value,
        wanted: ignore.reason(path)?.text ?? path,
      };
      report('CopyIgnoredFile', instruction, facts, { span: source.span });
    }
  },
};

const isRemote = (source: string) => /^(https?|git|ssh):\/\/|^git@/.test(source);

/** Relative to the context's root, which `..` does not leave. */
function contextPath(source: string): string {
  const parts: string[] = [];
  for (const part of source.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

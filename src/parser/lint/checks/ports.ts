import { expandWords } from '../../words/expand.ts';
import type { Check } from '../check.ts';
import { replace } from '../finding.ts';

/** ExposeProtoCasing, ExposeInvalidFormat. */
export const portChecks: Check = {
  step(instruction, { scope, file }, report) {
    if (instruction.kind !== 'expose') return;
    const token = file.dockerfile.escape;
    for (const word of instruction.ports) {
      for (const port of expandWords(word.text, { escape: token, lookup: (name) => scope.lookup(name) }).words) {
        const slash = port.indexOf('/');
        const address = slash < 0 ? port : port.slice(0, slash);
        const protocol = slash < 0 ? '' : port.slice(slash);
        if (protocol !== protocol.toLowerCase()) {
          const replacement = address + protocol.toLowerCase();
          const fix = word.text === port ? replace(word, replacement) : undefined;
          report('ExposeProtoCasing', instruction, { value: port, replacement }, { span: word.span, fix });
        }
        if (address.includes(':')) {
          const replacement = address.slice(address.lastIndexOf(':') + 1) + protocol;
          report('ExposeInvalidFormat', instruction, { value: port, replacement }, { span: word.span });
        }
      }
    }
  },
};

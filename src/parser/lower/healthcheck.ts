import { isDuration, parseDuration } from '../../units/index.ts';
import { readCommand } from './command.ts';
import { common, type Lower, type LowerContext, optional, reportMissing, sentenceSpan } from './context.ts';

const TIMES = ['interval', 'timeout', 'start-period', 'start-interval'] as const;
const MILLISECOND = 1_000_000;

export const lowerHealthcheck: Lower = (node, context) => {
  const { report, flags } = context;
  const { type } = node;
  if (!type) return reportMissing(node, context);
  const kind = type.text.toUpperCase();
  if (kind === 'NONE') {
    const [extra] = node.args;
    if (extra) report('dockerfile/healthcheck-none-arguments', extra.span);
    return { ...common(node), kind: 'healthcheck', command: null };
  }
  for (const name of TIMES) checkTime(name, context);
  checkRetries(context);
  if (kind !== 'CMD') {
    report('dockerfile/unknown-healthcheck', type.span, { value: type.text });
    return null;
  }
  if (node.args.length === 0) {
    const { form, example } = context.spec;
    report('dockerfile/missing-arguments', sentenceSpan(node), {
      instruction: 'HEALTHCHECK CMD',
      count: 0,
      form,
      example,
    });
    return null;
  }
  const command = readCommand(node, context);
  return (
    command && {
      ...common(node),
      kind: 'healthcheck',
      command,
      ...optional('interval', flags.word('interval')),
      ...optional('timeout', flags.word('timeout')),
      ...optional('startPeriod', flags.word('start-period')),
      ...optional('startInterval', flags.word('start-interval')),
      ...optional('retries', flags.word('retries')),
    }
  );
};

function checkTime(name: (typeof TIMES)[number], { flags, report }: LowerContext): void {
  const word = flags.word(name);
  if (!word || word.text === '') return;
  if (!isDuration(word.text)) {
    report('dockerfile/invalid-duration', word.span, { name, value: word.text });
    return;
  }
  const time = parseDuration(word.text);
  if (time !== 0 && time < MILLISECOND) report('dockerfile/duration-too-short', word.span, { name, value: word.text });
}

function checkRetries({ flags, report }: LowerContext): void {
  const word = flags.word('retries');
  if (word && word.text !== '' && !/^\+?\d{1,9}$/.test(word.text)) {
    report('dockerfile/invalid-retries', word.span, { value: word.text });
  }
}

import { plain } from './command.ts';
import { common, type Lower, optional, reportMissing, sentenceSpan } from './context.ts';

const STAGE_NAME = /^[a-z][a-z0-9-_.]*$/;

export const lowerFrom: Lower = (node, context) => {
  const { report, spec, flags } = context;
  const [image, as, alias, extra] = node.args;
  const facts = { form: spec.form, example: spec.example };
  if (!image) return reportMissing(node, context);
  const from = {
    ...common(node),
    kind: 'from' as const,
    image: plain(image),
    ...optional('platform', flags.word('platform')),
  };
  if (!as) return from;
  if (as.token !== 'as') report('dockerfile/missing-as', as.span, { value: as.text, name: image.text });
  else if (!alias) report('dockerfile/invalid-from', sentenceSpan(node), facts);
  else if (extra) report('dockerfile/invalid-from', extra.span, { ...facts, value: extra.text });
  if (as.token !== 'as' || !alias) return from;
  const name = alias.text.toLowerCase();
  if (!STAGE_NAME.test(name)) report('dockerfile/invalid-stage-name', alias.span, { name: alias.text });
  return { ...from, alias: { name, word: plain(alias), as: plain(as) } };
};

export { formatList, type ListFormat, type Row, visibleText } from './list.ts';
export { alignColumns } from './tabwriter.ts';
export { compileTemplate, type Template } from './template/index.ts';

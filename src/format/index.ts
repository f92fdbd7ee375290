export { formatList, type ListFormat, type Row, visibleText } from './list.ts';
export { alignColumns } from './tabwriter.ts';

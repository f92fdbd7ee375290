export { type Diagnostic, hasErrors, type Parsed, type Severity, type TextEdit } from './diagnostic.ts';
export { type FrameStyle, plainStyle, printDiagnostic } from './frame.ts';
export { nearest } from './nearest.ts';
export { type Position, SourceText, type Span } from './span.ts';

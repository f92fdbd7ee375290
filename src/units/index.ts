export { formatDuration, humanDuration, isDuration, parseDuration } from './duration.ts';
export { humanBinarySize, humanSize, parseSize } from './size.ts';
export { formatRfc3339Nano, formatUnixSeconds, parseRfc3339, parseTimestamp, zeroTime } from './timestamp.ts';

import { describe, expect, it } from 'vitest';
import { parseExpose } from '../../../src/builder/plan/expose.ts';
import { isSignal } from '../../../src/builder/plan/signal.ts';

describe('EXPOSE', () => {
  it.each([
    ['80', ['80/tcp']],
    ['0', ['0/tcp']],
    ['53/UDP', ['53/udp']],
    ['8000-8002/sctp', ['8000/sctp', '8001/sctp', '8002/sctp']],
    ['127.0.0.1:8080:80/tcp', ['80/tcp']],
  ])('%s names %j', (word, ports) => {
    expect(parseExpose(word)).toMatchObject({ ok: true, ports });
  });

  it.each(['80/foo', '8003-8000', '99999', 'abc', '/tcp', ''])('refuses %j', (word) => {
    expect(parseExpose(word)).toMatchObject({ ok: false });
  });
});

describe('STOPSIGNAL', () => {
  it.each(['SIGTERM', 'term', '9', 'SIGRTMIN+3', 'RTMAX-14'])('takes %s', (text) => {
    expect(isSignal(text)).toBe(true);
  });

  it.each(['SIGNOPE', '0', '-1', '', 'RTMIN+99'])('refuses %j', (text) => {
    expect(isSignal(text)).toBe(false);
  });
});

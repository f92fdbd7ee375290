const NAMES = new Set(
  (
    'HUP INT QUIT ILL TRAP ABRT IOT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CLD CONT STOP TSTP TTIN TTOU ' +
    'URG XCPU XFSZ VTALRM PROF WINCH IO POLL PWR SYS UNUSED RTMIN RTMAX'
  ).split(' '),
);

/** True for what STOPSIGNAL takes: a positive number, or a Linux signal name with or without SIG. */
export function isSignal(text: string): boolean {
  if (/^\d+$/.test(text)) return Number(text) > 0;
  const name = text.toUpperCase().replace(/^SIG/, '');
  if (NAMES.has(name)) return true;
  const realtime = /^RT(MIN|MAX)([+-])(\d{1,2})$/.exec(name);
  if (!realtime) return false;
  const offset = Number(realtime[3]);
  return realtime[1] === 'MIN' ? realtime[2] === '+' && offset <= 15 : realtime[2] === '-' && offset <= 14;
}

export function signalNames(): string[] {
  return [...NAMES].map((name) => `SIG${name}`);
}

import { posix } from 'node:path';
import type { Span } from '../../diagnostics/index.ts';
import { isDigest } from '../../oci/index.ts';
import { type GitSource, parseGitRef } from '../../parser/index.ts';
import type { AddInstruction } from '../../parser/ir.ts';
import { finding } from '../findings.ts';
import type { RemoteOp, RemoteSource } from './graph.ts';
import type { Applying } from './stage-state.ts';

const WEB = /^https?:\/\//;
/** What a file is called whose address has no name in it. @see BuildKit, ADD */
const NAMELESS = '__unnamed__';

/** True for what ADD fetches instead of reading it from the context. */
export function isRemote(text: string): boolean {
  return WEB.test(text) || isRepository(text);
}

function isRepository(text: string): boolean {
  const ref = parseGitRef(text);
  // `github.com/a/b` is a path in the context until it says that it is not.
  return ref.isGit && !('source' in ref && ref.source.isAmbiguous);
}

/** A user name and password in an address are for the server, not for people who read logs and history. */
export function hideCredentials(text: string): string {
  return text.replace(/([a-z]+:\/\/)[^\s/@?#]*:[^\s/?#]*@/gi, '$1xxxxx:xxxxx@');
}

/** Adds the node that fetches a source. Undefined after a report. */
export function addRemote(
  applying: Applying<AddInstruction>,
  { text, span }: { readonly text: string; readonly span: Span },
): Omit<RemoteSource, 'before'> | undefined {
  const { graph } = applying.stage.planning;
  const op = remoteOp(applying, text, span);
  if (!op) return undefined;
  const shown = hideCredentials(text);
  const node = graph.add(op, { name: `[internal] fetch ${shown}`, span, slot: `fetch/${shown}` });
  return { node, name: op.kind === 'source-http' ? op.name : '' };
}

function remoteOp(applying: Applying<AddInstruction>, text: string, span: Span): RemoteOp | undefined {
  const { instruction, words, stage } = applying;
  const { report } = stage.planning;
  const checksum = instruction.checksum && words.one(instruction.checksum);
  const ref = parseGitRef(text);
  if (ref.isGit) {
    if ('source' in ref) return gitOp(applying, ref.source, checksum, span);
    report(finding('build/bad-value', span, `${hideCredentials(text)}: ${ref.problem}`));
    return undefined;
  }
  if (checksum !== undefined && !isDigest(checksum)) {
    const hint = 'write sha256: and the 64 hexadecimal digits that sha256sum tells';
    report(finding('build/bad-value', instruction.checksum!.span, `${checksum} is not a checksum`, hint));
    return undefined;
  }
  return { kind: 'source-http', url: text, name: nameOf(text), ...(checksum === undefined ? {} : { checksum }) };
}

function gitOp(
  { instruction, stage }: Applying<AddInstruction>,
  source: GitSource,
  checksum: string | undefined,
  span: Span,
): RemoteOp | undefined {
  const { report } = stage.planning;
  if (checksum && source.checksum && checksum !== source.checksum) {
    report(finding('build/bad-value', span, `--checksum=${checksum} and ${source.checksum} in the address differ`));
    return undefined;
  }
  const wanted = checksum || source.checksum;
  if (wanted !== '' && !/^[0-9a-f]{1,64}$/i.test(wanted)) {
    report(finding('build/bad-value', span, `${wanted} is not the id of a commit`, 'write its hexadecimal digits'));
    return undefined;
  }
  return {
    kind: 'source-git',
    remote: source.remote,
    ref: source.ref,
    checksum: wanted.toLowerCase(),
    subDir: source.subDir,
    keepGitDir: source.keepGitDir ?? instruction.keepGitDir,
    submodules: source.submodules ?? true,
    commitTimes: source.mtime === 'commit',
  };
}

function nameOf(url: string): string {
  try {
    const base = posix.basename(decodeURIComponent(new URL(url).pathname));
    return ['', '.', '..'].includes(base) || base.includes('\0') ? NAMELESS : base;
  } catch {
    return NAMELESS;
  }
}

import { describe, expect, it } from 'vitest';
import { allCapabilities } from '../../../../src/runtime/spec/capabilities.ts';
import { execProcess } from '../../../../src/runtime/spec/exec.ts';
import type { OciConfig, OciProcess } from '../../../../src/runtime/spec/oci-config.ts';
import { ociJson, unlimited } from '../../../../src/runtime/spec/oci-json.ts';

const capabilities = {
  bounding: ['CAP_CHOWN'],
  effective: ['CAP_CHOWN'],
  permitted: ['CAP_CHOWN'],
  inheritable: [],
  ambient: [],
} as const;
const plan = {
  argv: ['id'],
  env: [],
  cwd: '',
  identity: { uid: 5, gid: 6, groups: [7], home: '/' },
  tty: false,
  privileged: false,
};
const execIn = (process: Partial<OciProcess>, privileged = false) =>
  execProcess(
    { ...plan, privileged },
    { process: { capabilities, ...process } } as unknown as OciConfig,
    new Set(allCapabilities),
  );

describe('the process of an exec', () => {
  it("is bound as the container's own is", () => {
    const bonds = {
      noNewPrivileges: true,
      oomScoreAdj: 300,
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 9, hard: 10 }],
      apparmorProfile: 'strict',
    };
    expect(execIn(bonds)).toMatchObject({ ...bonds, capabilities, cwd: '/' });
    expect(execIn({})).not.toHaveProperty('noNewPrivileges');
  });

  it('has every capability and no profile when it is privileged, and still no new ones', () => {
    const {
      capabilities: all,
      apparmorProfile,
      noNewPrivileges,
    } = execIn({ noNewPrivileges: true, apparmorProfile: 'strict' }, true);
    expect(all.bounding).toEqual(allCapabilities);
    expect([apparmorProfile, noNewPrivileges]).toEqual([undefined, true]);
  });

  it('has its groups, the primary one among them', () => {
    expect(execIn({}).user).toEqual({ uid: 5, gid: 6, additionalGids: [6, 7] });
  });
});

describe('the text for a runtime', () => {
  it('says "unlimited" in 64 bits, also of a config that was read', () => {
    const text = ociJson({ rlimits: [{ soft: 0, hard: unlimited }] });
    expect(text).toBe('{"rlimits":[{"soft":0,"hard":18446744073709551615}]}');
    expect(ociJson(JSON.parse(text) as object)).toBe(text);
  });
});

import { isBerthError } from '../../../errors/index.ts';
import { formatPlatform, type Platform, parsePlatform } from '../../../oci/index.ts';
import type { Check } from '../check.ts';

/** RedundantTargetPlatform, FromPlatformFlagConstDisallowed, InvalidBaseImagePlatform. */
export const platformChecks: Check = {
  stage({ stage: { from, name = '' }, base, baseConfig, platform, built }, { globals, options }, report) {
    const wanted = platform ? readPlatform(platform.value) : options.platform;
    if (platform && from.platform && platform.errors.length === 0) {
      const { text, span } = from.platform;
      const { used, missing, value } = platform;
      const isTarget = used.size === 1 && missing.size === 0 && used.has('TARGETPLATFORM');
      if (isTarget && value === globals.get('TARGETPLATFORM')) {
        report('RedundantTargetPlatform', from, { value: text }, { span });
      }
      const isConstant = used.size === 0 && missing.size === 0;
      if (isConstant && wanted && !name.includes(wanted.os) && !name.includes(wanted.architecture)) {
        report('FromPlatformFlagConstDisallowed', from, { value }, { span });
      }
    }
    if (!built || !baseConfig || !wanted) return;
    const { os, architecture, variant } = baseConfig;
    if (!os || !architecture || (os === wanted.os && architecture === wanted.architecture)) return;
    const value = formatPlatform({ os, architecture, ...(variant ? { variant } : {}) });
    const facts = { name: base, value, wanted: formatPlatform(wanted) };
    report('InvalidBaseImagePlatform', from, facts, { span: from.image.span });
  },
};

function readPlatform(text: string): Platform | undefined {
  try {
    return parsePlatform(text);
  } catch (error) {
    if (isBerthError(error)) return undefined;
    throw error;
  }
}

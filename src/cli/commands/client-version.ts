import { arch, platform } from 'node:os';
import packageJson from '../../../package.json' with { type: 'json' };
import { API_VERSION } from '../../api/contract/index.ts';
import { hostPlatform } from '../../oci/index.ts';

export const clientVersion: string = packageJson.version;

/** What `version` says about this program. */
export function clientFacts() {
  return {
    Version: clientVersion,
    ApiVersion: API_VERSION,
    DefaultAPIVersion: API_VERSION,
    NodeVersion: process.version,
    Os: platform(),
    Arch: hostPlatform(arch()).architecture,
    Context: 'default',
  };
}

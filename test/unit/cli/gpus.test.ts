import { describe, expect, it } from 'vitest';
import { gpuRequest } from '../../../src/cli/container/gpus.ts';
import { checkSupported } from '../../../src/engine/containers/host-config.ts';

describe('--gpus', () => {
  it.each([
    ['all', { Count: -1 }],
    ['2', { Count: 2 }],
    ['driver=nvidia,capabilities=compute', { Driver: 'nvidia', Count: 1, Capabilities: [['gpu', 'compute']] }],
    ['"device=0,1"', { Count: 0, DeviceIDs: ['0', '1'] }],
  ])('reads %s', (text, request) => {
    expect(gpuRequest(text)).toMatchObject({ Driver: '', Capabilities: [['gpu']], ...request });
  });

  it.each([
    ['some', 'invalid count (some)'],
    ['gpu=1', "unexpected key 'gpu'"],
  ])('refuses %s', (text, message) => {
    expect(() => gpuRequest(text)).toThrow(message);
  });

  it('is refused by an engine without a runtime for them', () => {
    expect(() => checkSupported({ HostConfig: { DeviceRequests: [gpuRequest('all')] } }, ['crun'])).toThrow(
      'could not select device driver "" with capabilities: [[gpu]]',
    );
  });
});

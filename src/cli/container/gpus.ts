import { BerthError } from '../../errors/index.ts';
import { splitCsv } from './csv.ts';

/**
 * `--gpus all`, `2`, or `device=0,capabilities=compute` as a device request.
 * @throws BerthError `invalid` @see docker/cli opts/gpus.go
 */
export function gpuRequest(text: string): object {
  const request = { Driver: '', Count: 0, DeviceIDs: [] as string[], Capabilities: [['gpu']], Options: {} };
  for (const field of splitCsv(text)) {
    const [key = '', value] = field.split(/=(.*)/s);
    if (value === undefined) request.Count = count(key);
    else if (key === 'driver') request.Driver = value;
    else if (key === 'count') request.Count = count(value);
    else if (key === 'device') request.DeviceIDs = value.split(',');
    else if (key === 'capabilities') request.Capabilities = [['gpu', ...value.split(',')]];
    else if (key !== 'options') throw new BerthError('invalid', `unexpected key '${key}' in '${field}'`);
  }
  return request.DeviceIDs.length === 0 && request.Count === 0 ? { ...request, Count: 1 } : request;
}

function count(text: string): number {
  if (text === 'all') return -1;
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new BerthError('invalid', `invalid count (${text}): value must be either "all" or an integer`);
}

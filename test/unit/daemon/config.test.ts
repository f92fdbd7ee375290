import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/daemon/config.ts';

describe('readConfig', () => {
  it('has defaults for everything', () => {
    expect(readConfig({})).toEqual({
      root: '/var/lib/berth',
      runRoot: '/run/berth',
      socket: '/run/berth/berth.sock',
      runtime: 'crun',
      layerForm: 'directory',
      idleSeconds: 60,
      layerLimits: {},
    });
  });

  it('reads the limits of layers', () => {
    const { layerLimits } = readConfig({ BERTH_LAYER_LIMITS: 'expansion=5000, entries=10000000,bytes=50g' });
    expect(layerLimits).toEqual({ expansion: 5000, entries: 10_000_000, bytes: 50 * 1024 ** 3 });
  });

  it('lets two engines live side by side', () => {
    const config = readConfig({
      BERTH_ROOT: '/data/b/',
      BERTH_RUN_ROOT: '/run/b2',
      BERTH_RUNTIME: 'runc',
      BERTH_IDLE_SECONDS: '0',
    });
    expect(config).toMatchObject({ root: '/data/b', socket: '/run/b2/berth.sock', runtime: 'runc', idleSeconds: 0 });
  });

  it.each([
    ['vfs', 'vfs'],
    ['overlay', 'overlay2'],
    ['', undefined],
  ])('takes a storage driver: %s', (text, driver) => {
    expect(readConfig({ BERTH_STORAGE_DRIVER: text }).storageDriver).toBe(driver);
  });

  it.each([
    [{ BERTH_ROOT: 'data' }, 'BERTH_ROOT'],
    [{ BERTH_RUN_ROOT: `/${'x'.repeat(100)}` }, 'BERTH_RUN_ROOT'],
    [{ BERTH_RUNTIME: 'youki' }, 'BERTH_RUNTIME'],
    [{ BERTH_LAYER_FORM: 'zip' }, 'BERTH_LAYER_FORM'],
    [{ BERTH_STORAGE_DRIVER: 'aufs' }, 'BERTH_STORAGE_DRIVER'],
    [{ BERTH_IDLE_SECONDS: 'soon' }, 'BERTH_IDLE_SECONDS'],
    [{ BERTH_LAYER_LIMITS: 'size=5' }, 'BERTH_LAYER_LIMITS'],
    [{ BERTH_LAYER_LIMITS: 'bytes=many' }, 'BERTH_LAYER_LIMITS'],
  ])('names the variable that is wrong: %j', (env, name) => {
    expect(() => readConfig(env)).toThrow(name);
  });
});

import { execFileSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attach } from '../../../src/cli/streams/attach.ts';
import { DetachWatcher, parseDetachKeys } from '../../../src/cli/streams/detach-keys.ts';
import { watchForManifest } from '../../../src/cli/streams/manifest-watch.ts';
import { startFakeEngine } from './fake-engine.ts';
import { runMain } from './test-environment.ts';

describe('detach keys', () => {
  it('reads letters and control keys', () => {
    expect([...parseDetachKeys('ctrl-p,ctrl-q')]).toEqual([16, 17]);
    expect([...parseDetachKeys('a,ctrl-[,ctrl-_')]).toEqual([97, 27, 31]);
    expect([...parseDetachKeys()]).toEqual([16, 17]);
    expect(() => parseDetachKeys('ctrl-1')).toThrow("'ctrl-1' is not a key");
  });

  it('holds the beginning of the sequence back until the next key tells', () => {
    const watcher = new DetachWatcher(Buffer.from([16, 17]));
    expect(watcher.push(Buffer.from('a\x10'))).toEqual({ passed: Buffer.from('a'), detached: false });
    expect(watcher.push(Buffer.from('b'))).toEqual({ passed: Buffer.from('\x10b'), detached: false });
    expect(watcher.push(Buffer.from('\x10\x10'))).toEqual({ passed: Buffer.from('\x10'), detached: false });
    expect(watcher.push(Buffer.from('\x11c'))).toEqual({ passed: Buffer.alloc(0), detached: true });
  });

  it('passes everything else on, however it is cut', () => {
    const typed = fc.array(
      fc.uint8Array({ maxLength: 4 }).map((bytes) => bytes.map((byte) => (byte === 17 ? 0 : byte))),
    );
    fc.assert(
      fc.property(typed, (chunks) => {
        const watcher = new DetachWatcher(Buffer.from([16, 17]));
        const passed = Buffer.concat([...chunks, Buffer.from('z')].map((chunk) => watcher.push(chunk).passed));
        expect(passed).toEqual(Buffer.concat([...chunks, Buffer.from('z')]));
      }),
    );
  });
});

describe('attach', () => {
  const terminal = () =>
    Object.assign(new PassThrough(), {
      isTTY: true,
      modes: [] as boolean[],
      setRawMode(raw: boolean) {
        this.modes.push(raw);
      },
    });

  it('leaves at the detach keys and puts the terminal back', async () => {
    const stdin = terminal();
    const socket = new PassThrough();
    const joined = attach(
      socket,
      { stdin, stdout: new PassThrough(), stderr: new PassThrough() },
      { tty: true, stdin: true, detachKeys: Buffer.from([16, 17]) },
    );
    stdin.write('\x10\x11');
    expect(await joined).toBe('detached');
    expect(stdin.modes).toEqual([true, false]);
    expect(socket.destroyed).toBe(true);
  });
});

describe('signals of a foreground run', () => {
  const id = 'c'.repeat(64);
  const scripts = [
    { on: 'POST /containers/create', json: { Id: id, Warnings: [] } },
    { on: `POST /containers/${id}/attach`, hijack: true, echo: true },
    { on: `POST /containers/${id}/wait`, json: { StatusCode: 0, Error: null } },
    { on: `POST /containers/${id}/start`, status: 204 },
    { on: `POST /containers/${id}/kill`, status: 204 },
  ];

  it('go to the container; the third Ctrl-C gives the prompt back', async () => {
    const engine = await startFakeEngine(scripts);
    const signals = new EventEmitter();
    try {
      const running = runMain(['run', 'busybox'], { env: { BERTH_HOST: engine.host }, signals });
      await expect.poll(() => engine.requests.some(({ line }) => line.endsWith('/start'))).toBe(true);
      signals.emit('SIGINT', 'SIGINT');
      signals.emit('SIGUSR1', 'SIGUSR1');
      signals.emit('SIGINT', 'SIGINT');
      signals.emit('SIGINT', 'SIGINT');
      const { code, stderr } = await running;
      expect(code).toBe(130);
      expect(stderr).toContain(`left container ${id.slice(0, 12)} running`);
      await expect
        .poll(() =>
          engine.requests
            .filter(({ line }) => line.includes('/kill'))
            .map(({ line }) => line.split('signal=')[1])
            .sort(),
        )
        .toEqual(['SIGINT', 'SIGINT', 'SIGUSR1']);
      expect(signals.listenerCount('SIGINT')).toBe(0);
    } finally {
      await engine.close();
    }
  });
});

describe('watchForManifest', () => {
  const pass = async (bytes: Uint8Array, size: number) => {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    );
    const watch = watchForManifest(Readable.from(chunks));
    const out: Buffer[] = [];
    for await (const chunk of watch.stream) out.push(Buffer.from(chunk));
    return { seen: watch.sawManifest(), out: Buffer.concat(out) };
  };

  it.each([1, 7, 512, 100_000])(
    'finds the manifest of a saved image in chunks of %d bytes and changes nothing',
    async (size) => {
      const folder = mkdtempSync(join(tmpdir(), 'berth-tar-'));
      try {
        writeFileSync(join(folder, 'layer.tar'), 'x'.repeat(1300));
        writeFileSync(join(folder, 'manifest.json'), '[]');
        const tar = execFileSync('tar', ['-C', folder, '-c', 'layer.tar', 'manifest.json']);
        const { seen, out } = await pass(tar, size);
        expect(seen).toBe(true);
        expect(out.equals(tar)).toBe(true);
        expect((await pass(execFileSync('tar', ['-C', folder, '-c', 'layer.tar']), size)).seen).toBe(false);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  it('lets what is no tar pass', async () => {
    const untouched = fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) =>
      (await pass(bytes, 100)).out.equals(bytes),
    );
    await fc.assert(untouched);
  });
});

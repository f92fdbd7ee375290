import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runMain } from './test-environment.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-check-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const check = (...argv: string[]) =>
  runMain(['build', ...argv, '.'], { cwd: folder, env: { BERTH_HOST: 'unix:///nowhere' } });
const dockerfile = (text: string) => writeFileSync(join(folder, 'Dockerfile'), text);

describe('berth build --check --fix', () => {
  it('mends the file and leaves everything else as it was', async () => {
    dockerfile('\ufefffrom  alpine \r\n# keep me\r\n\r\nENV A  b c\t\r\nRUN x\r\nRUN   y');
    chmodSync(join(folder, 'Dockerfile'), 0o640);
    const { code, stderr } = await check('--check', '--fix');
    expect(readFileSync(join(folder, 'Dockerfile'), 'utf8')).toBe(
      '\ufeffFROM  alpine \r\n# keep me\r\n\r\nENV A="b c"\t\r\nRUN x\r\nRUN   y',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '2 findings fixed in Dockerfile\n' });
    expect(statSync(join(folder, 'Dockerfile')).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder)).toEqual(['Dockerfile']);
  });

  it('writes nothing when there is nothing to mend', async () => {
    dockerfile('FROM alpine\nWORKDIR rel\n');
    const before = statSync(join(folder, 'Dockerfile')).ino;
    const { code } = await check('--check', '--fix');
    expect(statSync(join(folder, 'Dockerfile')).ino).toBe(before);
    expect(code).toBe(1);
  });

  it('follows a link instead of replacing it', async () => {
    writeFileSync(join(folder, 'real'), 'from alpine\nRUN a\nRUN b\n');
    symlinkSync('real', join(folder, 'Dockerfile'));
    await check('--check', '--fix');
    expect(lstatSync(join(folder, 'Dockerfile')).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(folder, 'real'), 'utf8')).toBe('FROM alpine\nRUN a\nRUN b\n');
  });

  it('does not touch a file with errors', async () => {
    const text = 'from alpine\nRUN a\nRUN b\nRNU c\n';
    dockerfile(text);
    expect((await check('--check', '--fix')).code).toBe(1);
    expect(readFileSync(join(folder, 'Dockerfile'), 'utf8')).toBe(text);
  });

  it('has no file to write when the Dockerfile comes from stdin', async () => {
    const { code, stderr } = await runMain(['build', '--check', '--fix', '-'], {
      cwd: folder,
      stdin: 'from alpine\nRUN a\nRUN b\n',
    });
    expect(code).toBe(1);
    expect(stderr).toContain('--fix needs a file to write to');
  });
});

describe('berth build --check', () => {
  it('knows the ignore file and names the Dockerfile as it was found', async () => {
    writeFileSync(join(folder, 'app.Dockerfile'), 'FROM alpine\nCOPY a.log /\n');
    writeFileSync(join(folder, 'app.Dockerfile.dockerignore'), '*.log\n');
    const { stdout } = await check('--check', '-f', 'app.Dockerfile');
    expect(stdout).toMatch(/^app\.Dockerfile:2:6: warning: a\.log is left out/);
  });

  it('takes build arguments into account', async () => {
    dockerfile('ARG V\nFROM alpine:$V\nARG DIR\nWORKDIR $DIR\n');
    const { stdout } = await check('--check', '--build-arg', 'DIR=rel', '--call', 'check,format=json');
    const { warnings } = JSON.parse(stdout) as { warnings: { ruleName: string; detail: string }[] };
    expect(warnings.map(({ ruleName }) => ruleName)).toEqual(['InvalidDefaultArgInFrom', 'WorkdirRelativePath']);
    expect(warnings[1]!.detail).toContain('"rel"');
  });

  it('says where a Dockerfile is missing', async () => {
    const { code, stderr } = await check('--check');
    expect(code).toBe(1);
    expect(stderr).toContain('there is no Dockerfile in');
  });
});

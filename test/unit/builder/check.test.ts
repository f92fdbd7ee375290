import { describe, expect, it } from 'vitest';
import { type BuildEvent, build } from '../../../src/builder/index.ts';
import { FakeMachine } from '../../support/fakes-builder.ts';

async function run(dockerfile: string, target?: string) {
  const machine = new FakeMachine();
  machine.addImage('docker.io/library/base:latest', { 'bin/sh': 'sh' });
  const events: BuildEvent[] = [];
  const request = {
    dockerfile: { name: 'Dockerfile', text: dockerfile },
    context: null,
    names: [],
    buildArgs: {},
    labels: {},
    noCache: false,
    platform: { os: 'linux', architecture: 'amd64' },
    network: 'default',
    ...(target === undefined ? {} : { target }),
  } as const;
  const options = {
    emit: (event: BuildEvent) => void events.push(event),
    signal: new AbortController().signal,
    now: () => 0,
  };
  const result = await build(request, machine.ports, options).catch((error: Error) => error);
  const codes = events.flatMap((event) => (event.type === 'diagnostic' ? [event.diagnostic.code] : []));
  return { result, codes, steps: machine.steps };
}

describe('build checks of a build', () => {
  it('tells what it finds and goes on', async () => {
    const { result, codes } = await run('FROM base\nENV A b\nENV C=$NOPE\nENV D=$PATH\n');
    expect(result).not.toBeInstanceOf(Error);
    expect(codes).toEqual(['check/LegacyKeyValueFormat', 'check/UndefinedVar']);
  });

  it('stops before any command runs when the file wants findings to be errors', async () => {
    const { result, codes, steps } = await run('# check=error=true\nFROM base\nRUN make\nMAINTAINER me\n');
    expect(result).toMatchObject({ kind: 'invalid', message: expect.stringContaining('Dockerfile:4: MAINTAINER') });
    expect(codes).toEqual(['check/MaintainerDeprecated']);
    expect(steps).toEqual([]);
  });

  it('looks for variables in the stages that the target needs only', async () => {
    const text = 'FROM base AS a\nENV X=$NOPE\nFROM base AS b\nENV Y=$NOPE\n';
    expect((await run(text)).codes).toEqual(['check/UndefinedVar']);
    expect((await run(`${text}FROM base AS c\nENV Z=1\n`)).codes).toEqual([]);
  });
});

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DiskUsageBody, UsageTotal } from '../../src/api/contract/index.ts';
import { viewDisk } from '../support/disk.ts';
import { Host } from '../support/host.ts';

const host = new Host();
const context = join(host.folder, 'context');
const disk = () => viewDisk(join(host.root, 'layout-v1'));

beforeAll(async () => {
  mkdirSync(context);
  await host.importBase('busybox');
}, 120_000);

afterAll(() => host.dispose());

async function build(name: string, dockerfile: string): Promise<void> {
  writeFileSync(join(context, 'Dockerfile'), dockerfile);
  await host.ok(['build', '-q', '-t', name, context]);
}

async function usage(): Promise<DiskUsageBody> {
  return JSON.parse(await host.ok(['system', 'df', '-v', '--format', 'json'])) as DiskUsageBody;
}

function totals({ ImageUsage, ContainerUsage, VolumeUsage, BuildCacheUsage }: DiskUsageBody): readonly UsageTotal[] {
  return [ImageUsage!, ContainerUsage!, VolumeUsage!, BuildCacheUsage!];
}

const sizeOf = (body: DiskUsageBody) => totals(body).reduce((sum, { TotalSize }) => sum + TotalSize, 0);

/** Runs a prune through the API, for the exact figure. */
async function prune(path: string): Promise<number> {
  const body = await new Promise<string>((resolve, reject) => {
    const asked = request({ socketPath: host.socket, path, method: 'POST' }, (answer) =>
      text(answer).then(resolve, reject),
    );
    asked.once('error', reject);
    asked.end();
  });
  return (JSON.parse(body) as { SpaceReclaimed: number }).SpaceReclaimed;
}

/** A store in which everything shares with something. */
async function fill(): Promise<void> {
  await build(
    'app',
    'FROM busybox\nRUN --mount=type=cache,target=/c echo hi > /c/x; echo 1 > /one\nCOPY Dockerfile /d\nRUN head -c 300000 /dev/urandom > /big\n',
  );
  await build(
    'other',
    'FROM busybox\nCOPY --link Dockerfile /copied\nRUN echo 2 > /two; ln /two /too; truncate -s 1G /sparse\n',
  );
  await build('dropped', 'FROM app\nRUN head -c 50000 /dev/urandom > /more\n');
  await host.ok(['rmi', 'dropped']);
  await host.ok(['run', '--name', 'stopped', 'app', 'sh', '-c', 'echo hello; head -c 100000 /dev/zero > /zeros']);
  await host.ok(['run', '-d', '--name', 'runs', 'other', 'sleep', '600']);
  await host.ok(['create', '--name', 'orphan', '-v', '/unnamed', '-v', 'kept:/kept', 'app']);
}

describe('system df and the prunes', () => {
  beforeAll(fill, 120_000);

  it('says to the byte what du counts, but for the files of the engine itself', async () => {
    const body = await usage();
    const { owned, rest, restFiles } = disk();
    expect(sizeOf(body)).toBe(owned);
    expect(
      restFiles.filter(
        (name) =>
          !/^(engine\.|storage\.json|images\/refs\.json|layers\.usage\.json|cache\/seccomp\/|networks\/)/.test(name),
      ),
    ).toEqual([]);
    expect(rest).toBeLessThan(400_000);
    expect(body.LayersSize).toBe(body.ImageUsage?.TotalSize);
    expect(body.Volumes).toHaveLength(2);
    // Measured before: the second look finds the same.
    expect(totals(await usage())).toEqual(totals(body));
  });

  it('prints the table of Docker, and the docker CLI reads it', async () => {
    const table = await host.ok(['system', 'df']);
    expect(table).toMatch(
      /^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE\nImages +3 +2 .*\nContainers +3 +1 .*\nLocal Volumes +2 +2 .*\nBuild Cache +\d+ +0 /,
    );
    expect(await host.ok(['system', 'df', '--format', '{{.Type}}={{.TotalCount}}'])).toContain('Images=3\n');
    const docker = await host.docker(['system', 'df', '-v']);
    expect(docker.stdout).toContain('Containers space usage:');
    expect(docker.stdout).toContain('Build cache usage: ');
    expect((await host.docker(['system', 'df'])).stdout).toMatch(/Images +3 +2/);
  });

  it.each([
    ['/containers/prune', 1],
    ['/images/prune?filters=%7B%22dangling%22%3A%5B%22false%22%5D%7D', 0],
    ['/build/prune?all=1', 3],
  ] as const)('%s gives back what df said', async (path, row) => {
    const [before, diskBefore] = [await usage(), disk()];
    const reclaimed = await prune(path);
    const [after, diskAfter] = [await usage(), disk()];
    expect(reclaimed).toBe(totals(before)[row]!.Reclaimable);
    expect(diskBefore.owned - diskAfter.owned).toBe(reclaimed);
    expect(sizeOf(after)).toBe(diskAfter.owned);
    expect(totals(after)[row]!.Reclaimable).toBe(0);
  });

  it('leaves what runs, and nothing else', async () => {
    expect(await host.ok(['images', '--format', '{{.Repository}}'])).toBe('other\n');
    expect(await host.ok(['exec', 'runs', 'cat', '/two'])).toBe('2\n');
    const { code, stdout } = await host.berth(['system', 'df', '--verify']);
    expect(stdout).toContain('agree with the disk');
    expect(code).toBe(0);
    await host.ok(['rm', '-f', 'runs']);
    await host.ok(['volume', 'rm', 'kept']);
    expect(await host.ok(['system', 'prune', '-af', '--volumes'])).toMatch(
      /Deleted Images:\nuntagged: other:latest\ndeleted: sha256:[\s\S]*Total reclaimed space: /,
    );
    expect(sizeOf(await usage())).toBe(0);
    expect(disk().owned).toBe(0);
    expect(readdirSync(join(host.root, 'layout-v1/layers'))).toEqual([]);
  });
});

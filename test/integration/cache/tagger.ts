import { openImageStore } from '../../../src/cache/index.ts';

/** Names images as fast as it can, and says each name once it is promised to last. Ended by its test, at any moment. */
const { buildImages } = openImageStore(process.argv[2]!);
const round = process.argv[3]!;
for (let count = 0; ; count++) {
  const name = `docker.io/library/app:r${round}-${count}`;
  const config = { Labels: { name } };
  const rootfs = { type: 'layers', diff_ids: [] } as const;
  await buildImages.put({ architecture: 'amd64', os: 'linux', config, rootfs }, [name]);
  process.stdout.write(`${name}\n`);
}

import { describe, expect, it } from 'vitest';
import { imageTree, type TreeImage } from '../../../src/cli/lists/image-tree.ts';

const image = (name: string, diffIds: readonly string[], rest: Partial<TreeImage> = {}): TreeImage => ({
  id: `sha256:${name.padEnd(64, '0')}`,
  names: [`${name}:latest`],
  diffIds,
  sizeBytes: 3000,
  sharedBytes: 1000,
  containers: 0,
  ...rest,
});

describe('the tree of images', () => {
  it('puts an image below the one that it was built on', () => {
    const text = imageTree([image('app', ['a', 'b', 'c'], { containers: 2 }), image('base', ['a'])], true);
    expect(text).toBe(
      [
        'base:latest  base00000000  3kB (2kB unique, 1kB shared)  1 layer',
        '└─ app:latest  app000000000  3kB (2kB unique, 1kB shared)  in use by 2  2 layers',
        '',
      ].join('\n'),
    );
  });

  it('shows layers that are shared without an image of their own', () => {
    const text = imageTree([image('x', ['a', 'b', 'x']), image('y', ['a', 'b', 'y', 'z'])], true);
    expect(text.split('\n').map((line) => line.replace(/ {2}\w{12} .*\) {2}/, ' '))).toEqual([
      '(shared by the images below)  2 layers',
      '├─ x:latest 1 layer',
      '└─ y:latest 2 layers',
      '',
    ]);
  });

  it('keeps apart what shares nothing, and lists images of the same layers together', () => {
    const text = imageTree(
      [image('one', ['a']), image('two', ['a'], { names: [] }), image('other', ['b']), image('empty', [])],
      true,
    );
    expect(text.split('\n').map((line) => line.split('  ')[0])).toEqual([
      'empty:latest',
      'one:latest',
      '<none>',
      'other:latest',
      '',
    ]);
  });

  it('is empty without images', () => {
    expect(imageTree([], true)).toBe('');
  });
});

import { describe, expect, it } from 'vitest';
import type { BuildEvent } from '../../../src/builder/events.ts';
import { emptyView, reduceView } from '../../../src/builder/view.ts';
import { sha256 } from '../../../src/oci/index.ts';

const vertices = ['a', 'b'].map((id) => ({ id, digest: sha256(id), name: `[${id}]`, inputs: [] }));
const fold = (...events: BuildEvent[]) => events.reduce(reduceView, emptyView);
const started: BuildEvent = { type: 'started', at: 1, vertices };

describe('the view of a build', () => {
  it('shows all steps as waiting at first', () => {
    expect(fold(started).vertices.map(({ id, status }) => [id, status])).toEqual([
      ['a', 'waiting'],
      ['b', 'waiting'],
    ]);
  });

  it('follows a step with its times and the reason of its miss', () => {
    const view = fold(
      started,
      { type: 'vertex-started', at: 2, vertex: 'a' },
      { type: 'vertex-missed', at: 3, vertex: 'a', reason: 'command changed' },
      { type: 'vertex-finished', at: 9, vertex: 'a' },
      { type: 'vertex-cached', at: 9, vertex: 'b' },
    );
    expect(view.vertices[0]).toMatchObject({ status: 'done', startedAt: 2, finishedAt: 9, reason: 'command changed' });
    expect(view.vertices[1]).toMatchObject({ status: 'cached' });
  });

  it('keeps the last lines, joins pieces, and lets a carriage return begin a line again', () => {
    const log = (text: string): BuildEvent => ({ type: 'vertex-log', at: 2, vertex: 'a', stream: 'stdout', text });
    const view = fold(started, log('one\ntw'), log('o\n10%\r20%'), log('\r30%\n'));
    expect(view.vertices[0]!.log).toEqual(['one', 'two', '30%', '']);
    const long = fold(started, log('x\n'.repeat(200)));
    expect(long.vertices[0]!.log).toHaveLength(50);
  });

  it('holds failures, findings and the image', () => {
    const image = sha256('i');
    const view = fold(
      started,
      { type: 'vertex-failed', at: 4, vertex: 'b', message: 'exit code 1' },
      { type: 'exported', at: 5, image, names: ['docker.io/library/x:latest'] },
    );
    expect(view.vertices[1]).toMatchObject({ status: 'failed', message: 'exit code 1' });
    expect(view).toMatchObject({ image, at: 5 });
  });
});

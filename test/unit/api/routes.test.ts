import { describe, expect, it } from 'vitest';
import { ROUTES, routeKey } from '../../../src/api/contract/routes.ts';
import { createRouter, type Handlers } from '../../../src/api/server/router.ts';

const done: Handlers = Object.fromEntries(
  ROUTES.filter(({ status }) => status === 'done').map((route) => [routeKey(route), () => {}]),
);
const router = createRouter(done);
const found = (method: string, path: string) => {
  const match = router.find(method, path);
  return match && [routeKey(match.spec), { ...match.params }];
};

describe('the route table', () => {
  it('lists every operation once', () => {
    const keys = ROUTES.map(routeKey);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.length).toBeGreaterThanOrEqual(107);
  });

  it('and the handlers fit together', () => {
    const planned = 'GET /containers/{id}/checkpoints';
    expect(() => createRouter({ ...done, [planned]: () => {} })).toThrow(`${planned} is planned in the table`);
    expect(() => createRouter({ ...done, 'GET /colours': () => {} })).toThrow('GET /colours');
    const { 'GET /info': _, ...without } = done;
    expect(() => createRouter(without)).toThrow('GET /info is done in the table');
  });
});

describe('routing', () => {
  it('finds names with slashes, also escaped ones', () => {
    expect(found('GET', '/images/localhost:5000/a/b:c/json')).toEqual([
      'GET /images/{name:.*}/json',
      { name: 'localhost:5000/a/b:c' },
    ]);
    expect(found('GET', '/images/a%2Fb%3Ac/history')).toEqual(['GET /images/{name:.*}/history', { name: 'a/b:c' }]);
    expect(found('DELETE', '/images/a/b')).toEqual(['DELETE /images/{name:.*}', { name: 'a/b' }]);
    expect(found('POST', '/images/a/tag')).toEqual(['POST /images/{name:.*}/tag', { name: 'a' }]);
  });

  it('prefers operations to names, and still finds images that are called like one', () => {
    expect(found('GET', '/images/json')).toEqual(['GET /images/json', {}]);
    expect(found('GET', '/images/get')).toEqual(['GET /images/get', {}]);
    expect(found('GET', '/images/json/json')).toEqual(['GET /images/{name:.*}/json', { name: 'json' }]);
    expect(found('DELETE', '/images/a/json')).toEqual(['DELETE /images/{name:.*}', { name: 'a/json' }]);
  });

  it('finds a container by name and leaves the rest unknown', () => {
    expect(found('POST', '/containers/a.b_c/start')).toEqual(['POST /containers/{id}/start', { id: 'a.b_c' }]);
    for (const path of [
      '/containers/a/b/start',
      '/nothing',
      '/',
      '',
      '/images/',
      '/images//json',
      '/containers/%zz/json',
      '*',
    ]) {
      expect(found('GET', path), path).toBeUndefined();
    }
  });
});

import assert from 'node:assert/strict';
import { atIndex, goingOn } from '../../../lib/http/going-on.ts';
import { Params } from '../../../lib/http/params.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { SEED } from '../../support/seed.ts';
import { getText } from '../../support/servers/raw-client.ts';

describe('how a client that waits goes on', () => {
  it('is by the same bytes with the index that it was told', () => {
    const asked = getText('/v1/kv/a?dc=&index=17&wait=60s&recurse', {
      'X-Consul-Token': 'index=17',
    });
    assert.equal(goingOn(asked, '18'), asked.replace('index=17&', 'index=18&'));
    assert.equal(atIndex('/v1/kv/index=17?index=17', '18'), '/v1/kv/index=17?index=18');
    assert.equal(
      atIndex('/v1/kv/a?filter=a%20==%20b&index=1', '2'),
      '/v1/kv/a?filter=a%20==%20b&index=2',
    );
  });

  it('is not known where the index is said twice, otherwise, or not at all', () => {
    const unknown = [
      ...['/v1/kv/a', '/v1/kv/a?wait=60s', '/v1/kv/a?index', '/v1/kv/a?index=', '/v1/kv/a?index=x'],
      ...['/v1/kv/a?index=1&index=2', '/v1/kv/a?index=1&index', '/v1/kv/a?%69ndex=1&index=1'],
      ...['/v1/kv/a?index=%31', '/v1/kv/a?index=1#&index=2', '/v1/kv/a?in+dex=1&index=1'],
    ];
    for (const target of unknown) assert.equal(atIndex(target, '9'), undefined, target);
    assert.equal(goingOn('GET /v1/kv/a?index=1 HTTP/1.0\r\n\r\n', '2'), undefined);
  });

  it(`changes nothing else of what a row reads, whatever is asked (SEED=${SEED})`, () => {
    const random = seededRandom(SEED);
    const below = (most: number) => Math.floor(random.next() * most);
    const pick = (from: readonly string[]) => from[below(from.length)] ?? '';
    const pieces = [
      'index=17',
      'index',
      '=',
      '&',
      '&',
      '?',
      '1',
      '%69ndex',
      '%',
      ';',
      '+',
      'wait',
      'a',
      '#',
      '/',
    ];
    let known = 0;
    for (let i = 0; i < 20_000; i++) {
      const query = Array.from({ length: 1 + below(9) }, () => pick(pieces)).join('');
      const target = `/v1/kv/a?${query}`;
      const to = atIndex(target, '99');
      if (to === undefined) continue;
      known++;
      const [was, is] = [target, to].map((each) => new Params(each.slice(each.indexOf('?') + 1)));
      assert.equal(is?.get('index'), '99', target);
      assert.match(was?.get('index') ?? '', /^\d+$/);
      for (const name of ['wait', 'a', '1', '17', '%', ';', '+', '/', '?', '=']) {
        assert.deepEqual(is?.all(name), was?.all(name), target);
      }
    }
    assert(known > 100, `${known}`);
  });
});

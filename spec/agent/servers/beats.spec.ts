import assert from 'node:assert/strict';
import type { RequestListener, ServerResponse } from 'node:http';
import type { UpstreamRequest } from '../../../agent/servers/upstream.ts';
import { BEAT_PATH } from '../../../lib/membership.ts';
import { upstreamTo } from '../../support/servers/upstreams.ts';
import { until } from '../../support/until.ts';

type Way = 'well' | 'silent' | 'stranger' | 'no leader' | 'endless';

function answerAs(way: Way, response: ServerResponse): void {
  if (way === 'stranger') response.statusCode = 404;
  if (way === 'no leader') {
    response.statusCode = 500;
    response.setHeader('X-Proconsul-Applied', 'no');
  }
  if (way === 'endless') response.write('x');
  else response.end(way);
}

/** Each of them goes the way that is said of it, by its place in the agent's order. */
async function setUp(...said: readonly Way[]) {
  const ways = [...said];
  const asked: number[] = [];
  const placeOf: number[] = [];
  const held: (() => void)[] = [];
  const listener =
    (i: number): RequestListener =>
    (request, response) => {
      const place = placeOf[i] ?? 0;
      asked.push(place);
      request.resume().once('end', () => {
        const way = ways[place] ?? 'silent';
        if (way === 'silent') held.push(() => void response.end('late'));
        else answerAs(way, response);
      });
    };
  const all = await upstreamTo(...ways.map((_, i) => listener(i)));
  const request: UpstreamRequest = {
    ...{ way: 'beat', method: 'PUT', target: BEAT_PATH, key: 'node:n1', token: '' },
    ...{ body: Buffer.from('{}'), timeoutMs: 1500, repeatable: true },
  };
  for (const [place, { ID }] of all.servers.placed(request.key).entries()) {
    placeOf[Number(ID.slice(1))] = place;
  }
  /** Whom a beat was said to, and what came, with so many that are waited for in vain. */
  const beat = async (waits: readonly number[] = []) => {
    asked.length = 0;
    const answer = all.upstream.ask(request).then(
      ({ status, body }) => `${status} ${body}`,
      (error: { code: string }) => error.code,
    );
    for (const [i, ms] of waits.entries()) {
      await until(() => asked.length > i);
      await all.clock.advance(ms);
    }
    return [await answer, ...asked];
  };
  return { ...all, ways, held, beat };
}

describe('which servers hear that an agent lives', () => {
  it('is one that answers, though the first three are silent, and at once from then on', async () => {
    const { beat, clock, ways } = await setUp('silent', 'silent', 'silent', 'well', 'well');
    assert.deepEqual(await beat([1500, 1000, 1000]), ['200 well', 0, 1, 2, 3]);
    for (let i = 0; i < 3; i++) {
      await clock.advance(2000);
      assert.deepEqual(await beat(), ['200 well', 3]);
    }
    // One of those that are silent at most is tried again, and now and then.
    await clock.advance(4000);
    assert.deepEqual(await beat([1500]), ['200 well', 0, 3]);
    await clock.advance(2000);
    assert.deepEqual(await beat(), ['200 well', 3]);
    ways[0] = 'well';
    await clock.advance(8000);
    assert.deepEqual(await beat(), ['200 well', 0]);
  });

  it('are others in their turn where all are silent', async () => {
    const four = ['silent', 'silent', 'silent', 'silent'] as const;
    const { beat, clock } = await setUp(...four, 'silent', 'well');
    assert.deepEqual(await beat([1500, 1000, 1000, 1000]), ['unavailable', 0, 1, 2, 3]);
    await clock.advance(2000);
    assert.deepEqual(await beat([1500]), ['200 well', 4, 5]);
  });

  it('is another where its own has become a stranger, who comes last from then on', async () => {
    const { beat, clock, servers } = await setUp('stranger', 'well', 'well');
    assert.deepEqual(await beat(), ['200 well', 0, 1]);
    await clock.advance(2000);
    assert.deepEqual(await beat(), ['200 well', 1]);
    assert.equal(servers.first('node:n1'), undefined);
  });

  it('is none where all refuse it; a refusal is not believed where others say nothing, and blames nobody', async () => {
    const refused = await setUp('stranger', 'stranger');
    assert.deepEqual(await refused.beat(), ['404 stranger', 0, 1]);
    assert.notEqual(refused.servers.first('node:n1'), undefined);
    const unsure = await setUp('stranger', 'silent');
    assert.deepEqual(await unsure.beat([0, 1000]), ['unavailable', 0, 1]);
    const leaderless = await setUp('no leader', 'stranger');
    assert.deepEqual(await leaderless.beat(), ['unavailable', 0, 1]);
  });

  it('is another where what answers at its own comes to no end', async () => {
    const { beat } = await setUp('endless', 'well');
    // By a line, and then by the long way.
    const [answer, ...asked] = await beat([0, 3000]);
    assert.deepEqual([answer, ...new Set(asked)], ['200 well', 0, 1]);
  });

  it('is one that answers now, whatever another has answered to a beat of before', async () => {
    const { beat, clock, ways, held } = await setUp('silent', 'silent');
    assert.deepEqual(await beat([1500, 1000]), ['unavailable', 0, 1]);
    for (const answer of held) answer();
    // Until it has come.
    for (let i = 0; i < 50; i++) await new Promise(setImmediate);
    ways[1] = 'well';
    await clock.advance(2000);
    assert.deepEqual(await beat([1500]), ['200 well', 0, 1]);
  });
});

import assert from 'node:assert/strict';
import { OwnPlace } from '../../../agent/servers/own-place.ts';
import { ServerList } from '../../../agent/servers/server-list.ts';
import { ORIGIN } from '../../../lib/place.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { serverInfo } from '../../support/servers/upstreams.ts';

const OWN = 'node:n1';
const BEAT_MS = 2000;

function start(...ids: readonly string[]) {
  const [clock, random] = [new FakeClock(), seededRandom(3)];
  const servers = new ServerList(clock, random);
  servers.add(ids.map((id, i) => serverInfo(id, `10.0.0.${i}:8300`)));
  const place = new OwnPlace({ servers, clock, random });
  const home = servers.placed(OWN)[0]?.ID;
  /** The server that each of so many beats is for; all answer after a millisecond unless told otherwise. */
  const beats = async (count: number, answers = true) => {
    const asked: string[] = [];
    for (let i = 0; i < count; i++) {
      const Server = servers.placed(place.keyOf(OWN, BEAT_MS))[0]?.ID ?? '';
      asked.push(Server);
      if (answers) place.heard({ Server, Coord: ORIGIN, TookMs: 1 }, 2);
      await clock.advance(BEAT_MS);
    }
    return asked;
  };
  return { clock, servers, place, home, beats };
}

describe('where an agent stands', () => {
  it('has its beats go to its own server, and two in a row to another now and then', async () => {
    const { beats, home } = start('a', 'b', 'c');
    const asked = await beats(60);
    const visits = asked.flatMap((id, i) => (id === home ? [] : [[i, id] as const]));
    assert.deepEqual([...new Set(visits.map(([, id]) => id))].length, 2);
    for (let i = 0; i < visits.length; i += 2) {
      const [[at, id], [then, again]] = visits.slice(i, i + 2) as [
        [number, string],
        [number, string],
      ];
      assert.deepEqual([then, again], [at + 1, id]);
    }
    assert.ok(visits.length <= 20 && visits.length >= 12, `${visits.length}`);
  });

  it('visits less often once it has heard of each server', async () => {
    const { beats, home } = start('a', 'b', 'c');
    await beats(200);
    const visits = (await beats(100)).filter((id) => id !== home);
    assert.ok(visits.length <= 10 && visits.length >= 8, `${visits.length}`);
  });

  it('goes to its own where there is no other, or the other does not answer', async () => {
    const alone = start('a');
    assert.deepEqual(new Set(await alone.beats(40)), new Set(['a']));
    const { servers, home, beats } = start('a', 'b');
    servers.breaker.failed(home === 'a' ? 'b' : 'a');
    assert.deepEqual(new Set(await beats(8)), new Set([home]));
  });

  it('visits those that answer where one does not, and that one too now and then: nothing else may ever ask it', async () => {
    const { servers, home, beats } = start('a', 'b', 'c');
    const [away = '', third = ''] = ['a', 'b', 'c'].filter((id) => id !== home);
    servers.breaker.failed(away);
    const asked = await beats(200);
    assert.ok(asked.filter((id) => id === third).length >= 8, asked.join(''));
    const tries = asked.filter((id) => id === away).length;
    assert.ok(tries >= 2 && tries <= 8, `${tries}`);
    servers.breaker.succeeded(away);
    assert.ok((await beats(200)).filter((id) => id === away).length >= 8);
  });

  it('takes off what the server was about, and tells the least of the last round trips', async () => {
    const { place, home = '' } = start('a', 'b');
    const heard = (ms: number) => place.heard({ Server: home, Coord: ORIGIN, TookMs: 5 }, ms);
    assert.deepEqual(place.told(OWN), { Coord: ORIGIN, Server: home, Seconds: 0 });
    for (const ms of [9, 7, 25, 8]) heard(ms);
    assert.equal(place.told(OWN).Seconds, 0.002);
    for (const ms of [10, 11, 12, 13]) heard(ms);
    assert.equal(place.told(OWN).Seconds, 0.005);
    assert.notDeepEqual(place.coordinate, ORIGIN);
  });

  it('is moved by no answer that came before it was asked for, nor by one of a server that nobody knows', () => {
    const { place, home = '' } = start('a', 'b');
    place.heard({ Server: home, Coord: ORIGIN, TookMs: 5 }, 5);
    place.heard({ Server: 'other', Coord: ORIGIN, TookMs: 0 }, 5);
    assert.deepEqual(place.coordinate, ORIGIN);
  });

  it('forgets servers that are gone', async () => {
    const { place, servers, beats } = start('a', 'b');
    await beats(60);
    servers.replace([serverInfo('c', '10.0.0.9:8300')]);
    const told = place.told(OWN);
    assert.deepEqual([told.Server, told.Seconds], ['c', 0]);
  });
});

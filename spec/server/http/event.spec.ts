import assert from 'node:assert/strict';
import { settle } from '../../support/fakes/fake-clock.ts';
import { startServer } from '../../support/servers/start-server.ts';

interface Shown {
  readonly Name: string;
  readonly Payload: string | null;
  readonly LTime: number;
}

async function start() {
  const server = await startServer();
  const list = async (query = '') => (await server.get(`/v1/event/list${query}`)).json as Shown[];
  return { ...server, list };
}

describe('PUT /v1/event/fire/:name', () => {
  it('shows the event to all, the newest last, its payload in base64', async () => {
    const { put, list } = await start();
    await put('/v1/event/fire/a', 'x');
    await put('/v1/event/fire/b');
    const shown = (await list()).map(({ Name, Payload }) => [Name, Payload]);
    assert.deepEqual(shown, [
      ['a', 'eA=='],
      ['b', null],
    ]);
  });

  it('reaches only nodes and services that its patterns mean', async () => {
    const { put, list } = await start();
    await put('/v1/catalog/register', {
      Node: 'n1',
      Address: '10.0.0.1',
      Service: { Service: 'web', Tags: ['v1'] },
    });
    for (const query of ['node=^n', 'node=^x', 'service=web', 'service=db', 'service=w&tag=v2']) {
      await put(`/v1/event/fire/${encodeURIComponent(query)}?${query}`);
    }
    assert.deepEqual(
      (await list()).map(({ Name }) => Name),
      ['node=^n', 'service=web'],
    );
  });

  it('refuses a pattern that is malformed, or larger than one may be', async () => {
    const { put, list } = await start();
    const malformed = await put('/v1/event/fire/x?node=%5B');
    assert.equal(malformed.status, 500);
    assert.match(malformed.text, /^Invalid node filter: error parsing regexp: missing closing \]/);
    const large = await put(`/v1/event/fire/x?node=${encodeURIComponent('(a{100}){10}')}`);
    assert.equal(large.status, 500);
    assert.match(large.text, /^Invalid node filter: .*instructions/);
    assert.deepEqual(await list(), []);
  });

  it('remembers the newest 256', async () => {
    const { put, list } = await start();
    for (let i = 0; i < 260; i++) await put(`/v1/event/fire/e${i}`);
    const names = (await list()).map(({ Name }) => Name);
    assert.deepEqual([names.length, names[0], names.at(-1)], [256, 'e4', 'e259']);
  });
});

describe('GET /v1/event/list?index', () => {
  it('sleeps on for an event that it does not show, and wakes for one that it does', async () => {
    const { clock, put, get } = await start();
    await put('/v1/event/fire/mine');
    const seen = String((await get('/v1/event/list?name=mine')).headers['x-consul-index']);
    const { armed } = clock;
    let answered = false;
    const waiting = get(`/v1/event/list?name=mine&index=${seen}`).then((answer) => {
      answered = true;
      return answer;
    });
    await clock.untilArmed(armed + 1);
    await put('/v1/event/fire/other');
    await settle();
    assert.equal(answered, false);
    await put('/v1/event/fire/mine', 'again');
    assert.equal(((await waiting).json as Shown[]).length, 2);
  });

  it('is answered with what there is when the server stops', async () => {
    const { clock, server, get } = await start();
    const { armed } = clock;
    const waiting = get('/v1/event/list?index=1');
    await clock.untilArmed(armed + 1);
    await server.stop();
    const { status, text } = await waiting;
    assert.deepEqual([status, text], [200, '[]']);
  });
});

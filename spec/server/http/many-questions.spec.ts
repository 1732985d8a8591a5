/** Many questions at once, each of which takes a good part of a turn of the loop to look up. */
import assert from 'node:assert/strict';
import { webOn } from '../../support/factories.ts';
import { getText, RawClient } from '../../support/servers/raw-client.ts';
import { startServer } from '../../support/servers/start-server.ts';

/** A server on whose clock each look at anything takes longer than a turn has room for. */
async function startSlow() {
  const started = await startServer();
  await started.put('/v1/catalog/register', webOn('a'));
  const { clock } = started;
  const { monotonic } = clock;
  let ms = 0;
  clock.monotonic = () => {
    ms += 12;
    return monotonic.call(clock) + ms;
  };
  return { ...started, answers: started.server.deps.answers };
}

describe('many questions at once that take long', () => {
  const QUESTIONS = 30;

  async function asked(port: number, of: (n: number) => string) {
    const clients = await Promise.all(
      Array.from({ length: QUESTIONS }, () => RawClient.connect(port)),
    );
    for (const [n, client] of clients.entries()) client.send(getText(of(n)));
    return clients;
  }

  it('are looked up in as many turns of the loop, whether each is new or has been asked before', async () => {
    const { port, answers, put } = await startSlow();
    const of = (n: number) => `/v1/health/service/web?filter=Service.Port==${n}`;
    const clients = await asked(port, of);
    for (const again of [false, true]) {
      if (again) {
        await put('/v1/catalog/register', webOn('b'));
        for (const [n, client] of clients.entries()) client.send(getText(of(n)));
      }
      const answered = Promise.all(clients.map((client) => client.answer()));
      let isOver = false;
      void answered.then(() => {
        isOver = true;
      });
      let most = 0;
      for (let before = answers.evaluations; !isOver; before = answers.evaluations) {
        await new Promise((resolve) => setImmediate(resolve));
        most = Math.max(most, answers.evaluations - before);
      }
      for (const { head } of await answered) assert.match(head, /^HTTP\/1\.1 200/);
      assert(most <= 2, `${most} in one turn`);
    }
  });

  const QUERY = '/v1/query/of-web/execute';
  const TREE = JSON.stringify([{ KV: { Verb: 'get-tree', Key: 'a' } }]);
  for (const [what, request] of [
    ['prepared queries', getText(QUERY)],
    ['transactions that read', putText('/v1/txn', TREE)],
    ['what intentions say of a service', getText('/v1/connect/intentions/match?by=source&name=a')],
    ['who may call whom', getText('/v1/connect/intentions/check?source=a&destination=b')],
  ] as const) {
    it(`are looked up in as many turns where they are ${what}`, async () => {
      const { port, answers, put, ask } = await startSlow();
      await put('/v1/kv/a/b', 'c');
      await ask('POST', '/v1/query', { body: { Name: 'of-web', Service: { Service: 'web' } } });
      let looks = 0;
      const { inRoom } = answers;
      answers.inRoom = (asking, look) =>
        inRoom.call(answers, asking, () => {
          looks++;
          return look();
        }) as ReturnType<typeof look>;
      const clients = await Promise.all(
        Array.from({ length: QUESTIONS }, () => RawClient.connect(port)),
      );
      for (const client of clients) client.send(request);
      const answered = Promise.all(clients.map((client) => client.answer()));
      let isOver = false;
      void answered.then(() => {
        isOver = true;
      });
      let most = 0;
      for (let before = looks; !isOver; before = looks) {
        await new Promise((resolve) => setImmediate(resolve));
        most = Math.max(most, looks - before);
      }
      for (const { head } of await answered) assert.match(head, /^HTTP\/1\.1 200/);
      assert.equal(looks, QUESTIONS);
      assert(most <= 2, `${most} in one turn`);
    });
  }
});

function putText(path: string, body: string): string {
  return `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

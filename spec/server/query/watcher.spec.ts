import assert from 'node:assert/strict';
import { EVERYTHING } from '../../../lib/acl/rights.ts';
import { Params } from '../../../lib/http/params.ts';
import { narrowing } from '../../../server/http/narrowing.ts';
import { healthOfService } from '../../../server/query/health.ts';
import { asked } from '../../../server/query/query.ts';
import { Watcher } from '../../../server/query/watcher.ts';
import { keyTopic, treeTopic } from '../../../server/state/topic-names.ts';
import { registerOn, serviceNamed } from '../../support/factories.ts';
import { settle } from '../../support/fakes/fake-clock.ts';
import { getText, RawClient } from '../../support/servers/raw-client.ts';
import { startServer } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

describe('Watcher', () => {
  function watching(...topics: string[]) {
    const watcher = new Watcher();
    const calls = new Map<string, number>();
    const cancels = topics.map((topic) =>
      watcher.watch([topic], () => calls.set(topic, (calls.get(topic) ?? 0) + 1)),
    );
    return { watcher, calls, cancels };
  }

  it('calls who watches a topic that was touched, and nobody else', () => {
    const { watcher, calls } = watching('a', 'b');
    watcher.notify(['a', 'c']);
    assert.deepEqual([...calls], [['a', 1]]);
  });

  it('calls who watches a tree once, however many keys under it were touched', () => {
    const { watcher, calls } = watching(treeTopic('a/'), treeTopic(''), keyTopic('a/b'));
    watcher.notify([keyTopic('a/b'), keyTopic('c')]);
    assert.equal(calls.get(treeTopic('a/')), 1);
    assert.equal(calls.get(treeTopic('')), 1);
    assert.equal(calls.get(keyTopic('a/b')), 1);
  });

  it('calls nobody who has cancelled, and remembers nothing of them', () => {
    const { watcher, calls, cancels } = watching('a', treeTopic('x'));
    for (const cancel of [...cancels, ...cancels]) cancel();
    watcher.notify(['a', keyTopic('xy')]);
    assert.equal(calls.size, 0);
    assert.equal(watcher.size, 0);
  });

  it('calls everyone when all may be otherwise', () => {
    const { watcher, calls } = watching('a', treeTopic('x'));
    watcher.notifyAll();
    assert.equal(calls.size, 2);
  });
});

describe('1,000 watchers of 1,000 services', () => {
  const SERVICES = 1000;

  async function start() {
    const server = await startServer();
    for (let i = 0; i < SERVICES; i++) await server.server.propose(registration(i, 0));
    return server;
  }

  it('wake, at 1,000 changes of one, exactly that one each time', async () => {
    const { server } = await start();
    const woken: number[] = [];
    const watch = (i: number) => {
      const query = healthOf(i);
      server.answers.wait(query, {
        seenIndex: server.answers.read(query).index,
        waitMs: 600_000,
        onAnswer: () => woken.push(i),
        onError: (error) => assert.fail(String(error)),
      });
    };
    for (let i = 0; i < SERVICES; i++) watch(i);
    for (let change = 1; change <= 1000; change++) {
      await server.propose(registration(7, change));
      await settle();
      assert.deepEqual(woken.splice(0), [7]);
      assert.equal(server.answers.waiting, SERVICES - 1);
      watch(7);
    }
  }).timeout(60_000);

  it('get no byte unless their own service changes', async () => {
    const { server, port } = await start();
    const clients: RawClient[] = [];
    for (let i = 0; i < SERVICES; i++) {
      const client = await RawClient.connect(port);
      client.send(waitFor(i, server.answers.read(healthOf(i)).index));
      clients.push(client);
    }
    await until(() => server.answers.waiting === SERVICES);
    for (let change = 1; change <= 20; change++) {
      await server.propose(registration(7, change));
      const { head } = await (clients[7] as RawClient).answer();
      const index = Number(/^X-Consul-Index: (\d+)\r$/m.exec(head)?.[1]);
      clients[7]?.send(waitFor(7, index));
      await until(() => server.answers.waiting === SERVICES);
    }
    assert(clients.every((client) => client.unread === 0));
  }).timeout(60_000);
});

function healthOf(i: number) {
  const all = narrowing(new Params(''), '', undefined);
  return asked(healthOfService(`service-${i}`, all, false), EVERYTHING);
}

function waitFor(i: number, index: number): string {
  return getText(`/v1/health/service/service-${i}?index=${index}&wait=10m`);
}

function registration(i: number, port: number) {
  return registerOn(`node-${i % 50}`, {
    service: serviceNamed(`service-${i}`, { Port: 1000 + port }),
  });
}

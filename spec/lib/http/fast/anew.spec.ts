import assert from 'node:assert/strict';
import { MASTER, withToken } from '../../../support/fakes/fake-access.ts';
import { READS, SENDERS, start, web } from '../../../support/servers/asked-again.ts';
import { getText, RawClient, withoutDate } from '../../../support/servers/raw-client.ts';
import { startServerWith } from '../../../support/servers/start-server.ts';
import { until } from '../../../support/until.ts';

describe('what is asked again, once something changed', () => {
  for (const [how, headers] of Object.entries(SENDERS)) {
    it(`is, asked ${how}, what the routes give by then`, async () => {
      const { client, put, parsed } = await start();
      // The second one that is asked for from a cache is said to be no news.
      const paths = READS.filter((path) => !path.includes('cached'));
      for (const path of paths) await client.ask(getText(path, headers));
      await put('/v1/catalog/register', web('n2', { NodeMeta: { rack: 'b' } }));
      await put('/v1/catalog/register', web('n1', { Address: '10.0.0.2' }));
      await put('/v1/kv/a/b', 'y'.repeat(3000));
      await put('/v1/kv/none', 'now there is one');
      const before = parsed();
      const fast = new Map<string, Awaited<ReturnType<typeof client.ask>>>();
      for (const path of paths) fast.set(path, await client.ask(getText(path, headers)));
      // What is compressed is made by its route.
      assert(parsed() === before || how === 'with gzip');
      for (const [path, { head, body }] of fast) {
        const slow = await client.ask(getText(path, { ...headers, 'X-Other-Bytes': '1' }));
        assert.equal(withoutDate(head), withoutDate(slow.head), path);
        assert(body.equals(slow.body), path);
      }
    });
  }

  it('gives anew what has changed, without the parser', async () => {
    const { client, put, parsed } = await start();
    const request = getText('/v1/kv/a/b?raw');
    await client.ask(request);
    for (const text of ['one', 'two']) {
      const before = parsed();
      await put('/v1/kv/a/b', text);
      assert.equal((await client.ask(request)).body.toString(), text);
      assert.equal((await client.ask(request)).body.toString(), text);
      assert.equal(parsed(), before + 1, 'the write alone');
    }
  });
});

describe('a client that waits alone', () => {
  async function waiting(path = '/v1/health/service/web?index=%&wait=60s') {
    const server = await start();
    const { client, put } = server;
    const ask = async (index: number | string) => {
      client.send(getText(path.replace(/%(?!69)/, `${index}`)));
      await until(() => server.server.answers.waiting === 1);
    };
    let nodes = 0;
    const change = async () => {
      await put('/v1/catalog/register', web(`m${nodes++}`));
      const { head } = await client.answer();
      return /^X-Consul-Index: (\d+)\r$/m.exec(head)?.[1] ?? '';
    };
    return { ...server, ask, change };
  }

  it('goes on by the index that it was told, without the parser', async () => {
    const { get, ask, change, parsed } = await waiting();
    await ask((await get('/v1/health/service/web')).index);
    for (let round = 0; round < 3; round++) {
      const index = await change();
      const before = parsed();
      await ask(index);
      assert.equal(parsed(), before);
    }
  });

  it('is answered by its route where there is more news already', async () => {
    const { get, put, ask, change, client } = await waiting();
    await ask((await get('/v1/health/service/web')).index);
    const index = await change();
    await put('/v1/catalog/register', web('later'));
    const { head, body } = await client.ask(
      getText(`/v1/health/service/web?index=${index}&wait=60s`),
    );
    assert.equal(JSON.parse(body.toString()).length, 3);
    assert(Number(/^X-Consul-Index: (\d+)\r$/m.exec(head)?.[1]) > Number(index));
  });

  it('is parsed where its index is not said once and plainly', async () => {
    for (const path of ['?index=%&wait=60s&index=1', '?%69ndex=%&wait=60s&index=1']) {
      const { get, ask, change, parsed } = await waiting(`/v1/health/service/web${path}`);
      await ask((await get('/v1/health/service/web')).index);
      const index = await change();
      const before = parsed();
      await ask(index);
      assert.equal(parsed(), before + 1, path);
    }
  });
});

describe('what is asked again by a token', () => {
  async function asking() {
    const acl = { defaultPolicy: 'deny', initialManagement: MASTER, keyListPolicy: false } as const;
    const server = await startServerWith({ acl: { ...acl, reportsFiltered: false, dataDir: '' } });
    const make = async (method: string, path: string, body: object | string) => {
      const { status, text } = await server.ask(method, `/v1/${path}`, {
        body,
        ...withToken(MASTER),
      });
      assert.equal(status, 200, `${path}: ${text}`);
      return text.startsWith('{') ? (JSON.parse(text) as Record<string, string>) : {};
    };
    const rules = (Rules: string) => ({ Name: 'p', Rules });
    const policy = await make('PUT', 'acl/policy', rules('key_prefix "" { policy = "read" }'));
    const token = await make('PUT', 'acl/token', { Policies: [{ Name: 'p' }] });
    await make('PUT', 'kv/a', '1');
    const client = await RawClient.connect(server.port);
    await client.ask(getText('/v1/status/leader'));
    const text = (path: string) => getText(path, withToken(token['SecretID'] ?? '').headers);
    return { ...server, make, client, text, token, policy, rules };
  }

  it('is what its rights show by now', async () => {
    const { make, client, text, policy, rules } = await asking();
    const list = text('/v1/kv/?keys');
    await client.ask(list);
    await make('PUT', 'kv/b', '1');
    assert.equal((await client.ask(list)).body.toString(), '["a","b"]');
    const { ID } = policy;
    await make('PUT', `acl/policy/${ID}`, { ID, ...rules('key "b" { policy = "read" }') });
    await make('PUT', 'kv/c', '1');
    assert.equal((await client.ask(list)).body.toString(), '["b"]');
  });

  it('is refused once it is gone, of a read and of what goes on waiting', async () => {
    const { make, client, text, token, server } = await asking();
    const read = text('/v1/kv/a');
    const { head } = await client.ask(read);
    const index = (said: string) => /^X-Consul-Index: (\d+)\r$/m.exec(said)?.[1];
    const wait = (said: string) => text(`/v1/kv/a?index=${index(said)}&wait=60s`);
    client.send(wait(head));
    await until(() => server.answers.waiting === 1);
    await make('PUT', 'kv/a', '2');
    const told = await client.answer();
    await make('DELETE', `acl/token/${token['AccessorID']}`, '');
    assert.match((await client.ask(wait(told.head))).head, /^HTTP\/1.1 403 /);
    assert.match((await client.ask(read)).head, /^HTTP\/1.1 403 /);
  });
});

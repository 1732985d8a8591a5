import assert from 'node:assert/strict';
import { HELD_HEADER, heldAt, NOTHING_HELD } from '../../../../lib/http/held.ts';
import { MASTER, withToken } from '../../../support/fakes/fake-access.ts';
import { READS, start, web } from '../../../support/servers/asked-again.ts';
import {
  getText,
  type RawAnswer,
  RawClient,
  withoutDate,
} from '../../../support/servers/raw-client.ts';
import { startServer, startServerWith } from '../../../support/servers/start-server.ts';

type Headers = Readonly<Record<string, string>>;

const holding = (path: string, tag: string, headers: Headers = {}) =>
  getText(path, { ...headers, [HELD_HEADER]: tag });
const statusOf = ({ head }: RawAnswer) => Number(head.slice('HTTP/1.1 '.length, 12));
const LINE = new RegExp(`^${HELD_HEADER}: (.*)\r\n`, 'm');
const tagOf = ({ head }: RawAnswer) => LINE.exec(head)?.[1];

/** Asks until what it asks by is known, and returns the tag of what it was answered. */
async function tagFor(client: RawClient, path: string, headers: Headers = {}): Promise<string> {
  await client.ask(holding(path, NOTHING_HELD, headers));
  const tag = tagOf(await client.ask(holding(path, NOTHING_HELD, headers)));
  assert(tag !== undefined, `${path} has a tag`);
  return tag;
}

describe('a read that says which answer it holds', () => {
  for (const path of READS.filter((read) => !read.includes('cached'))) {
    it(`of ${path} is told that it stands, or all that its route says`, async () => {
      const { client, put, parsed } = await start();
      const slow = await client.ask(getText(path, { 'X-Other-Bytes': '1' }));
      const tag = await tagFor(client, path);
      const before = parsed();
      const whole = await client.ask(holding(path, NOTHING_HELD));
      assert.equal(withoutDate(whole.head.replace(LINE, '')), withoutDate(slow.head));
      assert.deepEqual(whole.body, slow.body);
      const still = await client.ask(holding(path, tag));
      assert.deepEqual([statusOf(still), tagOf(still), still.body.length], [304, tag, 0]);
      assert.equal(parsed(), before);

      await put('/v1/catalog/register', web('n1', { Address: '10.0.0.2' }));
      await put('/v1/kv/a/b', 'other');
      await put('/v1/kv/none', 'some');
      const anew = await client.ask(holding(path, tag));
      const other = await client.ask(getText(path, { 'X-Other-Bytes': '1' }));
      const isSame = withoutDate(other.head) === withoutDate(slow.head);
      assert.equal(statusOf(anew) === 304, isSame && other.body.equals(slow.body));
      if (statusOf(anew) === 304) return;
      assert.notEqual(tagOf(anew), tag);
      assert.equal(withoutDate(anew.head.replace(LINE, '')), withoutDate(other.head));
      assert.deepEqual(anew.body, other.body);
    });
  }

  it('is told nothing of tags where it says nothing of them', async () => {
    const { client } = await start();
    const path = '/v1/kv/a/b';
    await tagFor(client, path);
    for (let i = 0; i < 2; i++) assert.equal(tagOf(await client.ask(getText(path))), undefined);
  });

  it('is told all where the tag is of another answer', async () => {
    const { client, put } = await start();
    await put('/v1/kv/c', 'y');
    const tag = await tagFor(client, '/v1/kv/a/b');
    await tagFor(client, '/v1/kv/c');
    assert.equal(statusOf(await client.ask(holding('/v1/kv/c', tag))), 200);
    const gzip = { 'Accept-Encoding': 'gzip' };
    await tagFor(client, '/v1/kv/a/b', gzip);
    assert.equal(statusOf(await client.ask(holding('/v1/kv/a/b', tag, gzip))), 200);
  });

  it('is told all by its route where it says that in any other way', async () => {
    const { client, parsed } = await start();
    const path = '/v1/kv/a/b';
    const tag = await tagFor(client, path);
    const texts = [
      holding(path, tag.slice(1)),
      holding(path, `${tag}a`),
      holding(path, `${tag.slice(1)}.`),
      holding(path, tag).replace(`${HELD_HEADER}: `, `${HELD_HEADER}:`),
      holding(path, tag).replace(HELD_HEADER, HELD_HEADER.toLowerCase()),
      getText(path, { [HELD_HEADER]: tag, 'X-Behind': '1' }),
    ];
    for (const text of texts) {
      const before = parsed();
      const answer = await client.ask(text);
      assert.equal(tagOf(answer), undefined, text);
      assert.notEqual(statusOf(answer), 304, text);
      assert.equal(parsed(), before + 1, text);
    }
    assert.equal(heldAt(holding(path, `a\nX-B: ${'b'.repeat(tag.length - 7)}`)), undefined);
  });

  it('is told all of what is large, and no tag', async () => {
    const { client, put } = await start();
    await put('/v1/kv/large', 'z'.repeat(200 * 1024));
    const text = holding('/v1/kv/large?raw', NOTHING_HELD);
    for (let i = 0; i < 3; i++) {
      const answer = await client.ask(text);
      assert.deepEqual([statusOf(answer), tagOf(answer)], [200, undefined]);
    }
  });

  it('has the same tag of a server that was started anew, for the answer is the same', async () => {
    const tags: string[] = [];
    for (let i = 0; i < 2; i++) {
      const { port, put } = await startServer();
      await put('/v1/kv/a', '1');
      const client = await RawClient.connect(port);
      await client.ask(getText('/v1/status/leader'));
      tags.push(await tagFor(client, '/v1/kv/a'));
    }
    assert.equal(tags[0], tags[1]);
  });

  it('is refused, whatever it holds, once its token may not see it any more', async () => {
    const acl = { defaultPolicy: 'deny', initialManagement: MASTER, keyListPolicy: false } as const;
    const server = await startServerWith({ acl: { ...acl, reportsFiltered: false, dataDir: '' } });
    const make = async (method: string, path: string, body: object | string) => {
      const answer = await server.ask(method, `/v1/${path}`, { body, ...withToken(MASTER) });
      assert.equal(answer.status, 200, answer.text);
      return answer.text.startsWith('{') ? (JSON.parse(answer.text) as Record<string, string>) : {};
    };
    await make('PUT', 'acl/policy', { Name: 'p', Rules: 'key "a" { policy = "read" }' });
    const token = await make('PUT', 'acl/token', { Policies: [{ Name: 'p' }] });
    await make('PUT', 'kv/a', '1');
    const client = await RawClient.connect(server.port);
    await client.ask(getText('/v1/status/leader'));
    const { headers } = withToken(token['SecretID'] ?? '');
    const tag = await tagFor(client, '/v1/kv/a', headers);
    assert.equal(statusOf(await client.ask(holding('/v1/kv/a', tag, headers))), 304);
    await make('DELETE', `acl/token/${token['AccessorID']}`, '');
    assert.equal(statusOf(await client.ask(holding('/v1/kv/a', tag, headers))), 403);
  });
});

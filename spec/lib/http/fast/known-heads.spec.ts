import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import { KnownHeads } from '../../../../lib/http/fast/known-heads.ts';
import { BEAT_PATH } from '../../../../lib/membership.ts';
import { PLACE_HEADER } from '../../../../lib/place.ts';
import { seededRandom } from '../../../support/fakes/seeded-random.ts';
import { SEED } from '../../../support/seed.ts';
import { RawClient, withoutDate } from '../../../support/servers/raw-client.ts';
import { type Headers, requestText } from '../../../support/servers/request-text.ts';
import { startServer, type TestServer } from '../../../support/servers/start-server.ts';

/** A server that takes known heads, and a connection that has sent one of each method. */
async function begin(headers: Headers = {}): Promise<TestServer & { client: RawClient }> {
  const server = await startServer();
  const client = await RawClient.connect(server.port);
  for (const [method = '', path = ''] of [
    ['PUT', '/v1/kv/warm'],
    ['POST', '/v1/query'],
    ['DELETE', '/v1/kv/warm'],
  ]) {
    // Twice: the first message of a connection is the parser's.
    for (const body of ['', '', 'x']) await client.ask(requestText(method, path, body, headers));
  }
  return { ...server, client };
}

const registration = (port: number) =>
  JSON.stringify({ Node: 'n', Address: '10.0.0.1', Service: { Service: 'web', Port: port } });

const WRITES: readonly (readonly [method: string, path: string, body: string])[] = [
  ['PUT', '/v1/kv/a', 'one'],
  ['PUT', '/v1/kv/a?flags=7', 'two'],
  ['PUT', '/v1/kv/a?cas=0', 'three'],
  ['PUT', '/v1/kv/a?flags=x', 'four'],
  ['PUT', '/v1/kv/a?cas=1&acquire=2', 'five'],
  ['PUT', '/v1/kv/', 'six'],
  ['PUT', '/v1/kv/a?token=none&pretty', 'seven'],
  ['PUT', '/v1/kv/a?dc=other', 'eight'],
  ['PUT', '/v1/kv/a?x=%zz', 'nine'],
  ['DELETE', '/v1/kv/a', ''],
  ['DELETE', '/v1/kv/a?recurse&cas=1', ''],
  ['PUT', '/v1/catalog/register', registration(80)],
  ['PUT', '/v1/catalog/register', '{"Node":'],
  ['PUT', '/v1/catalog/register', '{"Node":"n"}'],
  ['PUT', '/v1/catalog/register', '{"Node":"n","Adress":"x"}'],
  ['PUT', '/v1/catalog/deregister', '{"Node":"n"}'],
  ['PUT', '/v1/txn', '[{"KV":{"Verb":"get","Key":"none"}}]'],
  ['PUT', '/v1/txn', '[{"KV":{"Verb":"set","Key":"t","Value":"dg=="}}]'],
  ['PUT', '/v1/session/destroy/none', ''],
  ['POST', '/v1/query', '{"Service":{"Service":"web"},"Name":"q"}'],
  ['POST', '/v1/query', '{"Name":"q"}'],
  ['PUT', '/v1/event/fire/deploy', 'payload'],
];

/** Without what is drawn anew each time. */
const drawn = (text: string) => text.replace(/[\da-f]{8}-[\da-f-]{27}/g, 'some-id');

describe('a write whose head is known', () => {
  const senders: Readonly<Record<string, Headers>> = {
    plainly: {},
    'with gzip, a token and keep-alive': {
      'Accept-Encoding': 'gzip',
      'X-Consul-Token': 'abc',
      connection: 'Keep-Alive',
    },
  };
  for (const [how, headers] of Object.entries(senders)) {
    it(`is answered, sent ${how}, with the bytes of one that was parsed`, async () => {
      const known = await begin(headers);
      const other = await begin(headers);
      for (const [method, path, body] of WRITES) {
        const what = `${method} ${path} ${body}`;
        const text = requestText(method, path, body, headers);
        // A connection's first message is parsed.
        const parsing = await RawClient.connect(other.port);
        const parsed = await parsing.ask(text);
        const before = known.parsed();
        const taken = await known.client.ask(text);
        assert.equal(known.parsed(), before, `${what} is not parsed`);
        assert.equal(withoutDate(taken.head), withoutDate(parsed.head), what);
        assert.equal(drawn(taken.body.toString()), drawn(parsed.body.toString()), what);
      }
    });
  }
});

const BYTES = Buffer.from('\r\n\t :/?#%07aZ\0\x7f\xff', 'latin1');

/** Up to three bytes put in, left out or put in place of others. */
function changed(known: Buffer, pick: (below: number) => number): Buffer {
  const bytes = [...known];
  for (let changes = 1 + pick(3); changes > 0; changes--) {
    const byte = BYTES[pick(BYTES.length)] as number;
    // Mostly in the first line and in the length, where something may be otherwise.
    const at = pick(2) === 0 ? pick(70) : pick(bytes.length);
    bytes.splice(at, pick(2), ...(pick(3) > 0 ? [byte] : []));
  }
  return Buffer.from(bytes);
}

let message: IncomingMessage | undefined;
const parser = createServer((each) => {
  message = each;
});
parser.on('clientError', (_, wire) => wire.destroy());

/** What Node's parser makes of it; undefined where it is no whole request. */
async function parsed(chunk: Buffer): Promise<object | undefined> {
  message = undefined;
  const wire = new Duplex({ read: () => undefined, write: (_, __, done) => done() });
  parser.emit('connection', wire);
  wire.push(chunk);
  await new Promise((resolve) => setImmediate(resolve));
  const made = message as IncomingMessage | undefined;
  const body: Buffer[] = [];
  made?.on('data', (part: Buffer) => body.push(part));
  await new Promise((resolve) => setImmediate(resolve));
  wire.destroy();
  if (made?.complete !== true) return undefined;
  const { method, url, headers, rawHeaders } = made;
  return { method, url, headers: { ...headers }, rawHeaders, body: Buffer.concat(body).toString() };
}

describe('KnownHeads', () => {
  const socket = {} as Socket;
  const head = {
    'User-Agent': 'client/1',
    'X-Consul-Token': 'abc',
    'X-Proconsul-Node': 'n1',
    Accept: '*/*',
  };

  async function knowing(chunk: Buffer): Promise<KnownHeads> {
    const heads = new KnownHeads();
    const message = { httpVersion: '1.1', ...(await parsed(chunk)) } as unknown as IncomingMessage;
    heads.learn(message, chunk, () => true);
    return heads;
  }

  for (const body of ['a value', ''])
    it(`takes nothing that the parser would read otherwise, of ${body || 'nothing'} (SEED=${SEED})`, () =>
      takesAsParsed(body));

  async function takesAsParsed(body: string): Promise<void> {
    const random = seededRandom(SEED);
    const pick = (below: number) => Math.floor(random.next() * below);
    const length = { 'Content-Length': String(body.length) };
    const target = '/v1/kv/some/key?flags=1';
    const known = Buffer.from(requestText('PUT', target, body, { ...length, ...head }));
    const heads = await knowing(known);
    let taken = 0;
    for (let i = 0; i < 2000; i++) {
      const chunk = changed(known, pick);
      const found = heads.find(chunk, socket)?.message;
      if (found === undefined) continue;
      taken++;
      const { method, url, headers, rawHeaders, whole } = found;
      const read = { method, url, headers: { ...headers }, rawHeaders: [...rawHeaders] };
      const text = chunk.toString('latin1');
      assert.deepEqual({ ...read, body: whole.toString() }, await parsed(chunk), text);
    }
    assert(taken > 50, `of 2000 ${taken}`);
  }

  it('takes the beat of an agent that stands elsewhere now, and says where', async () => {
    const beatOf = (place: Headers) =>
      Buffer.from(requestText('PUT', BEAT_PATH, '{}', { ...head, ...place }));
    const heads = await knowing(beatOf({ [PLACE_HEADER]: '{"Server":"s1"}' }));
    const elsewhere = heads.find(beatOf({ [PLACE_HEADER]: '{"Seconds":0.1}' }), socket)?.message;
    assert.equal(elsewhere?.headers[PLACE_HEADER], '{"Seconds":0.1}');
    assert.equal(heads.find(beatOf({ [PLACE_HEADER]: 'a b' }), socket), undefined);
    assert.equal(heads.find(beatOf({}), socket), undefined);
  });

  it('takes another target, length, token and node, and no other header', async () => {
    const heads = await knowing(Buffer.from(requestText('PUT', '/v1/kv/a', 'x', head)));
    const takes = (text: string) => heads.find(Buffer.from(text), socket) !== undefined;
    assert(takes(requestText('PUT', '/v1/kv/b', 'x'.repeat(3000), head)));
    for (const [token, node] of [
      ['abd', 'n2'],
      ['', 'content-length: 7'.replace(' ', '')],
    ] as const) {
      const own = { ...head, 'X-Consul-Token': token, 'X-Proconsul-Node': node };
      const text = requestText('PUT', '/v1/kv/a', 'x', own);
      const found = heads.find(Buffer.from(text), socket)?.message;
      assert.equal(found?.headers['x-consul-token'], token);
      assert.equal(found.headers['x-proconsul-node'], node);
      assert.deepEqual(
        found.rawHeaders,
        ((await parsed(Buffer.from(text))) as IncomingMessage).rawHeaders,
      );
    }
    const { 'X-Consul-Token': _, ...anonymous } = head;
    for (const other of [
      requestText('PUT', '/v1/kv/a', 'x', anonymous),
      requestText('PUT', '/v1/kv/a', 'x', { ...head, 'x-consul-token': 'abc' }),
      requestText('PUT', '/v1/kv/a', 'x', { ...head, 'X-Consul-Token': 'a b' }),
      requestText('PUT', '/v1/kv/a', 'x', { ...head, 'X-Consul-Token': 'a\xe9' }),
      requestText('PUT', '/v1/kv/a', 'x', { ...head, Connection: 'close' }),
      requestText('PUT', '/v1/kv/a', 'x', { ...head, 'content-length': '2' }),
      requestText('POST', '/v1/kv/a', 'x', head),
      requestText('PUT', '/v1/kv/a', '', head),
      requestText('PUT', '/v1/kv/a', 'x', head).slice(0, -1),
      `${requestText('PUT', '/v1/kv/a', 'x', head)}P`,
      requestText('PUT', '/v1/kv/a', 'x', head).replace('HTTP/1.1', 'HTTP/1.0'),
      requestText('PUT', '/v1/kv/a', 'x', head).replace('Length: 1', 'Length: +1'),
      requestText('PUT', '/v1/kv/a', 'x', head).replace('Length: 1', 'Length: 01'),
      requestText('PUT', '/v1/kv/a', 'x', head).replace('Length: 1', 'Length: ').slice(0, -1),
    ]) {
      assert(!takes(other), other);
    }
  });

  it('leaves to the parser what may be longer than a head may be', async () => {
    const known = Buffer.from(requestText('PUT', '/v1/kv/a', 'x', head));
    const message = { httpVersion: '1.1', ...(await parsed(known)) } as unknown as IncomingMessage;
    const heads = new KnownHeads(1024);
    heads.learn(message, known, () => true);
    const takes = (letters: number) => {
      const text = requestText('PUT', `/v1/kv/${'a'.repeat(letters)}`, 'x', head);
      return heads.find(Buffer.from(text), socket) !== undefined;
    };
    assert.deepEqual([takes(800), takes(1100)], [true, false]);
  });

  it('keeps one head for all who send the same but for their tokens and nodes, and no token', async () => {
    const heads = new KnownHeads();
    for (const i of [1, 2, 3]) {
      const own = { ...head, 'X-Consul-Token': `secret-${i}`, 'X-Proconsul-Node': `n${i}` };
      const chunk = Buffer.from(requestText('PUT', '/v1/kv/a', 'x', own));
      heads.learn(
        { httpVersion: '1.1', ...(await parsed(chunk)) } as unknown as IncomingMessage,
        chunk,
        () => true,
      );
    }
    assert.equal(heads.size.heads, 1);
    assert(!inspect(heads, { showHidden: true, depth: 9 }).includes('secret'));
  });

  it('learns no head that says more than a length of what follows it', async () => {
    for (const over of [
      { 'Transfer-Encoding': 'chunked' },
      { Expect: '100-continue' },
      { Upgrade: 'h2c', Connection: 'Upgrade' },
      { Connection: 'close' },
      { 'X-Of': 'content-length: 1' },
      { 'X-Of': 'x-consul-token: abc' },
      { 'x-consul-token': 'abc' },
    ] as Headers[]) {
      const text = requestText('PUT', '/v1/kv/a', 'x', { ...head, ...over });
      const heads = new KnownHeads();
      const lower = Object.entries({ ...head, ...over }).map(([k, v]) => [k.toLowerCase(), v]);
      const headers = { ...Object.fromEntries(lower), 'content-length': '1' };
      const message = { method: 'PUT', url: '/v1/kv/a', httpVersion: '1.1', headers };
      heads.learn(
        { ...message, rawHeaders: [] } as unknown as IncomingMessage,
        Buffer.from(text),
        () => true,
      );
      assert.equal(heads.size.heads, 0, JSON.stringify(over));
    }
  });
});

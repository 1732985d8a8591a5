import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import supertest, { type Response } from 'supertest';
import { Profiles } from '../../../agent/http/profiles.ts';
import { type AccessControl, ANYONE } from '../../../lib/acl/rights.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { startAgent } from '../../support/servers/agents.ts';
import { until } from '../../support/until.ts';

const OCTETS = 'application/octet-stream';

/** A profile is begun; the spec's clock ends it. */
async function taken(path: string) {
  const { app, clock } = await startAgent();
  const answer = supertest(app).get(`/debug/pprof/${path}`).buffer(true).parse(bytes);
  const asked = answer.then((each) => each);
  const before = clock.armed;
  await until(() => clock.armed > before);
  await clock.advance(1000);
  const { status, headers, body } = await asked;
  assert.equal(status, 200);
  assert.equal(headers['content-type'], OCTETS);
  assert.match(String(headers['content-disposition']), /^attachment; filename="/);
  return JSON.parse(String(body));
}

/** As bytes: the answers have a type of their own. */
function bytes(response: Response, done: (error: Error | null, body: string) => void): void {
  const parts: Buffer[] = [];
  response.on('data', (part: Buffer) => parts.push(part));
  response.on('end', () => done(null, Buffer.concat(parts).toString()));
}

describe('GET /debug/pprof', () => {
  it('lists the profiles, and nothing that is not there', async () => {
    const { app } = await startAgent();
    const { text } = await supertest(app).get('/debug/pprof/').expect(200);
    assert.match(text, /<a href="profile\?seconds=30">profile<\/a>/);
    await supertest(app).get('/debug/pprof').expect(301).expect('Location', '/debug/pprof/');
    await supertest(app).get('/debug/pprof/nope').expect(404, 'Unknown profile\n');
    await supertest(app).get('/debug/pprof/__proto__').expect(404);
    await supertest(app).get('/debug/pprof/symbol').expect(200, 'num_symbols: 0\n');
  });

  it('profiles processor time, as a browser reads it', async () => {
    const { nodes, samples } = await taken('profile?seconds=1');
    assert(Array.isArray(nodes) && Array.isArray(samples));
  });

  it('profiles what is allocated, as a browser reads it', async () => {
    for (const name of ['heap', 'allocs']) {
      const { head } = await taken(`${name}?seconds=1`);
      assert.equal(head.callFrame.functionName, '(root)');
    }
  });

  it('traces the runtime', async () => {
    const { traceEvents } = await taken('trace?seconds=1');
    assert(Array.isArray(traceEvents));
  });

  it('takes one at a time, and none that lasts for long', async () => {
    const { app, clock } = await startAgent();
    const before = clock.armed;
    const first = supertest(app)
      .get('/debug/pprof/profile?seconds=1')
      .then((each) => each.status);
    await until(() => clock.armed > before);
    await supertest(app).get('/debug/pprof/heap').expect(429, 'another profile is being taken');
    await clock.advance(1000);
    assert.equal(await first, 200);
    await supertest(app)
      .get('/debug/pprof/profile?seconds=61')
      .expect(400, 'Bad request: profile duration exceeds 60 seconds');
  });

  it('makes way for the next when the client of a snapshot has gone', async () => {
    const heap = { used: () => 0, snapshot: () => new PassThrough() };
    const profiles = new Profiles(new FakeClock(), heap);
    const client = new AbortController();
    const begun = profiles.heapSnapshot(client.signal) as AsyncIterable<Buffer> & Readable;
    assert.throws(() => profiles.heapSnapshot(client.signal), { code: 'busy' });
    const closed = once(begun, 'close');
    client.abort();
    await closed;
    const next = profiles.heapSnapshot(client.signal) as AsyncIterable<Buffer> & Readable;
    await once(next, 'close');
  });

  it('says what is open by its kind, and of the command line no value', async () => {
    const { app } = await startAgent();
    const { body } = await supertest(app).get('/debug/pprof/goroutine').buffer(true).parse(bytes);
    assert(Object.keys(JSON.parse(String(body))).length > 0);
    const before = process.argv;
    process.argv = [...before.slice(0, 2), 'agent', '-encrypt=canary', '-redis', 'canary'];
    try {
      const { text } = await supertest(app).get('/debug/pprof/cmdline').expect(200);
      assert.equal(text, 'proconsul\0-encrypt\0-redis');
    } finally {
      process.argv = before;
    }
  });

  it('is 401 unless enable_debug says otherwise, whatever is asked', async () => {
    const { app } = await startAgent('enable_debug = false');
    for (const path of ['', '/', '/heap', '/profile', '/cmdline', '/heapsnapshot', '/nope']) {
      await supertest(app)
        .get(`/debug/pprof${path}`)
        .expect(401, /enable_debug/);
    }
  });

  it('needs operator:read, and a snapshot of the heap, which has all secrets, acl:write', async () => {
    const may = new Set<string>();
    const rights = { ...ANYONE.rights, all: false, may: (what: string) => may.has(what) };
    const access: AccessControl = { callerOf: () => ({ ...ANYONE, rights }) };
    const { app } = await startAgent('', { access });
    const ask = (path: string) => supertest(app).get(`/debug/pprof/${path}`);
    await ask('goroutine').expect(403);
    may.add('operator');
    await ask('goroutine').expect(200);
    await ask('heapsnapshot').expect(403);
  });
});

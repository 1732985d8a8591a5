/** Reads that are held back until the server is as new as they want it, while their rights go. */
import assert from 'node:assert/strict';
import { MASTER, withToken } from '../../support/fakes/fake-access.ts';
import { HeldLog } from '../../support/fakes/held-log.ts';
import { startServerWith } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

const ACL = {
  defaultPolicy: 'deny',
  initialManagement: MASTER,
  keyListPolicy: false,
  reportsFiltered: false,
  dataDir: '',
} as const;
const RULES =
  'key "a" { policy = "read" } query "" { policy = "read" } service "" { policy = "read" } node "" { policy = "read" }';
const READ = JSON.stringify([{ KV: { Verb: 'get', Key: 'a' } }]);

async function start() {
  let log: HeldLog | undefined;
  const test = await startServerWith({
    acl: ACL,
    wrap: (its) => {
      log = new HeldLog(its);
      return log;
    },
  });
  const make = async (method: string, path: string, body: object | string = '') => {
    const { status, text } = await test.ask(method, `/v1/${path}`, { body, ...withToken(MASTER) });
    assert.equal(status, 200, `${path}: ${text}`);
    return text.startsWith('{') ? (JSON.parse(text) as Record<string, string>) : {};
  };
  const policy = await make('PUT', 'acl/policy', { Name: 'p', Rules: RULES });
  const { SecretID = '' } = await make('PUT', 'acl/token', { Policies: [{ Name: 'p' }] });
  await make('PUT', 'kv/a', 'before');
  await make('POST', 'query', { Name: 'q', Service: { Service: 's' } });
  assert(log !== undefined);
  return { ...test, log, make, policy, secret: SecretID };
}

const READS: readonly (readonly [method: string, path: string, body?: string])[] = [
  ['GET', '/v1/kv/a'],
  ['GET', '/v1/kv/a?consistent'],
  ['GET', '/v1/kv/?recurse'],
  ['GET', '/v1/kv/a?index=1&wait=10s'],
  ['PUT', '/v1/txn', READ],
  ['GET', '/v1/query/q/execute'],
];

describe('a read that is held back', () => {
  for (const [method, path, body = ''] of READS) {
    it(`shows nothing that was written after its rights were gone: ${method} ${path}`, async () => {
      const { log, ask, make, policy, secret } = await start();
      log.hold();
      const { waiting } = log;
      const asked = ask(method, path, { body, ...withToken(secret) });
      await until(() => log.waiting > waiting);
      const letGo = log.pass();
      await make('PUT', `acl/policy/${policy.ID}`, { Name: 'p', Rules: '' });
      await make('PUT', 'kv/a', 'after');
      await make('PUT', 'catalog/register', {
        Node: 'after',
        Address: '1.2.3.4',
        Service: { Service: 's' },
      });
      letGo();
      const { status, text } = await asked;
      assert(!text.includes('after') && !text.includes(btoa('after')), `${status} ${text}`);
    });
  }
});

describe('a consistent read that waits', () => {
  /** One that has begun to wait, whose log confirms nothing more. */
  async function waiting() {
    const test = await start();
    const { log, ask, server } = test;
    const get = (query: string) => ask('GET', `/v1/kv/a?consistent${query}`, withToken(MASTER));
    const { index } = await get('');
    const before = server.answers.waiting;
    const asked = get(`&index=${index}&wait=10s`);
    await until(() => server.answers.waiting > before);
    log.hold();
    return { ...test, asked };
  }

  it('is answered once the log has confirmed what it shows: nobody else need have it', async () => {
    const { log, make, asked } = await waiting();
    let isAnswered = false;
    void asked.then(() => {
      isAnswered = true;
    });
    const seen = log.waiting;
    await make('PUT', 'kv/a', 'after');
    await until(() => log.waiting > seen);
    assert.equal(isAnswered, false);
    log.pass()();
    const { status, text } = await asked;
    assert.equal(status, 200);
    assert(text.includes(btoa('after')));
  });

  it('is refused where nobody can confirm it', async () => {
    const { log, make, asked } = await waiting();
    const seen = log.waiting;
    await make('PUT', 'kv/a', 'after');
    await until(() => log.waiting > seen);
    log.refuse();
    assert.equal((await asked).status, 500);
  });
});

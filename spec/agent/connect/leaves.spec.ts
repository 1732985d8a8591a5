import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import supertest from 'supertest';
import { isPair, readKey } from '../../../lib/connect/keys.ts';
import type { Leaf } from '../../../lib/connect/model.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { FakeAuthority } from '../../support/fakes/fake-authority.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { startAgent } from '../../support/servers/agents.ts';
import { until } from '../../support/until.ts';

const HOUR_MS = 3600_000;
const LEAF = '/v1/agent/connect/ca/leaf/web';

async function start() {
  const clock = new FakeClock();
  const authority = new FakeAuthority(clock);
  const { app } = await startAgent('', { clock, authority });
  const get = async (path: string) => {
    const { status, text, headers, body } = await supertest(app).get(path);
    return { status, text, headers, leaf: body as Required<Leaf> };
  };
  const leaf = (query = '') => get(`${LEAF}${query}`);
  return { clock, authority, get, leaf };
}

describe(LEAF, () => {
  it('is a certificate with its key, made once for all who ask', async () => {
    const { leaf, authority } = await start();
    const [first, second] = await Promise.all([leaf(), leaf()]);
    assert.equal(authority.signed, 1);
    assert.deepEqual(first.leaf, second.leaf);
    const { CertPEM, PrivateKeyPEM, ServiceURI, ModifyIndex } = first.leaf;
    assert.ok(isPair(CertPEM, readKey(PrivateKeyPEM)));
    assert.equal(new X509Certificate(CertPEM).subjectAltName, `URI:${ServiceURI}`);
    const { headers } = await leaf();
    assert.equal(headers['x-cache'], 'HIT');
    assert.equal(headers['x-consul-index'], String(ModifyIndex));
  });

  it('has names of DNS for callers from outside, another one for other names', async () => {
    const { leaf, authority, get } = await start();
    const namesIn = ({ leaf: { CertPEM } }: Awaited<ReturnType<typeof leaf>>) =>
      new X509Certificate(CertPEM).subjectAltName?.split(', ').length;
    const [plain, outside] = [await leaf(), await leaf('?ingress=a')];
    assert.deepEqual([namesIn(plain), namesIn(outside)], [1, 2]);
    assert.deepEqual((await leaf('?ingress=a')).leaf, outside.leaf);
    assert.deepEqual((await leaf()).leaf, plain.leaf);
    assert.notDeepEqual((await leaf('?ingress=b')).leaf, outside.leaf);
    assert.equal(authority.signed, 3);
    assert.equal((await get(`${LEAF}?ingress=${'a'.repeat(65)}`)).status, 400);
  });

  it('is kept for a minute for callers from outside where it was given no names', async () => {
    const { leaf, authority, clock } = await start();
    const names = ({ leaf: { CertPEM } }: Awaited<ReturnType<typeof leaf>>) =>
      new X509Certificate(CertPEM).subjectAltName ?? '';
    authority.givesNames = false;
    const nameless = await leaf('?ingress=a');
    assert.deepEqual([nameless.status, names(nameless).includes('DNS:')], [200, false]);
    assert.deepEqual((await leaf('?ingress=a')).leaf, nameless.leaf);
    authority.givesNames = true;
    const waits = leaf(`?ingress=a&index=${nameless.leaf.ModifyIndex}&wait=5m`);
    await until(async () => {
      await clock.advance(10_000);
      return authority.signed === 2;
    });
    assert.match(names(await waits), /^DNS:/);
  });

  it('without names is made anew for nobody', async () => {
    const { leaf, authority, clock } = await start();
    authority.givesNames = false;
    await leaf('?ingress=a');
    for (let i = 0; i < 60; i++) await clock.advance(60_000);
    assert.equal(authority.signed, 1);
    await leaf('?ingress=a');
    assert.equal(authority.signed, 2);
  });

  it('is of few texts at a time for one gateway, lest others lose theirs', async () => {
    const { leaf, authority, clock } = await start();
    const first = await leaf();
    for (let i = 0; i < 20; i++) assert.equal((await leaf(`?ingress=${i}`)).status, 200);
    assert.equal(authority.signed, 21);
    await leaf('?ingress=19');
    await leaf('?ingress=16');
    assert.equal(authority.signed, 21);
    await leaf('?ingress=15');
    assert.equal(authority.signed, 22);
    const waits: string[] = [];
    for (const text of ['19', '16', '15', '18']) {
      const { ModifyIndex } = (await leaf(`?ingress=${text}`)).leaf;
      waits.push(`?ingress=${text}&index=${ModifyIndex}&wait=60s`);
    }
    const armed = clock.armed;
    for (const wait of waits) void leaf(wait);
    await until(() => clock.armed >= armed + waits.length);
    assert.equal((await leaf('?ingress=other')).status, 429);
    assert.deepEqual((await leaf()).leaf, first.leaf);
  });

  it('is made anew before it ends, and wakes who waits for it', async () => {
    const { leaf, authority, clock } = await start();
    const { ModifyIndex } = (await leaf()).leaf;
    let woken = 0;
    void leaf(`?index=${ModifyIndex}&wait=10m`).then((answer) => {
      woken = answer.leaf.ModifyIndex;
    });
    await clock.stall(59 * HOUR_MS);
    assert.equal(authority.signed, 1);
    await clock.stall(32 * HOUR_MS);
    await until(() => authority.signed === 2);
    await until(async () => (await leaf()).leaf.ModifyIndex === 2);
    await until(() => woken > 0);
  });

  it('is made anew when another root signs, and not at once', async () => {
    const { leaf, authority, clock } = await start();
    await leaf();
    await authority.rotate();
    await clock.advance(9000);
    assert.equal(authority.signed, 1);
    await until(async () => {
      await clock.advance(1000);
      return authority.signed === 2;
    });
  });

  it('stays while it is valid where no server signs, and goes where one refuses', async () => {
    const { leaf, authority, clock } = await start();
    const { leaf: first } = await leaf();
    authority.failure = new ProconsulError('unavailable', 'No cluster leader');
    await clock.stall(59 * HOUR_MS);
    await leaf();
    await clock.stall(32 * HOUR_MS);
    assert.deepEqual((await leaf()).leaf, first);
    authority.failure = new ProconsulError('forbidden', 'Permission denied');
    await until(async () => {
      await clock.advance(60_000);
      return (await leaf()).status === 403;
    });
  });

  it('is not made anew where nobody has asked for it in three days', async () => {
    const { leaf, authority, clock } = await start();
    await leaf();
    await clock.stall(91 * HOUR_MS);
    assert.equal(authority.signed, 1);
  });

  it('is none any more once its time is over', async () => {
    const { leaf, authority, clock } = await start();
    await leaf();
    authority.failure = new ProconsulError('unavailable', 'No cluster leader');
    await clock.stall(101 * HOUR_MS);
    assert.equal((await leaf()).status, 500);
  });

  it('is refused for what no service can be called', async () => {
    const { get } = await start();
    for (const [path, status, text] of [
      ['/v1/agent/connect/ca/leaf/', 500, 'URI must be either service or agent'],
      [`${LEAF}?index=abc`, 400, 'Invalid index'],
      [`${LEAF}?wait=soon`, 400, 'Invalid wait time'],
      [`${LEAF}?dc=other`, 500, 'No path to datacenter'],
    ] as const) {
      const answer = await get(path);
      assert.deepEqual([answer.status, answer.text], [status, text]);
    }
  });
});

describe('/v1/agent/connect/ca/roots', () => {
  it('answers from what it keeps fresh, and waits for another root', async () => {
    const { get, authority } = await start();
    const roots = '/v1/agent/connect/ca/roots';
    assert.equal((await get(roots)).headers['x-cache'], 'MISS');
    const { headers } = await get(roots);
    assert.equal(headers['x-cache'], 'HIT');
    const index = headers['x-consul-index'];
    const waiting = get(`${roots}?index=${index}&wait=10m`);
    await authority.rotate();
    assert.notEqual((await waiting).headers['x-consul-index'], index);
  });
});

import assert from 'node:assert/strict';
import { askOverHttp } from '../../../agent/acl/http-resolving.ts';
import { type DownPolicy, RemoteAccess } from '../../../agent/acl/remote-access.ts';
import type { ServerAnswer } from '../../../agent/servers/answer.ts';
import { ruleSet } from '../../../lib/acl/compile-rights.ts';
import type { ResolvedToken } from '../../../lib/acl/resolving.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { FakeClock, settle } from '../../support/fakes/fake-clock.ts';

const TTL_MS = 30_000;

/** Servers that know the tokens of `rules`, or are away. */
function start(downPolicy: DownPolicy = 'extend-cache', ttlMs = TTL_MS) {
  const clock = new FakeClock();
  const asked: [token: string, known: string][] = [];
  const servers = {
    rules: new Map([['t', 'service "web" { policy = "write" }']]),
    away: false,
    expiresAt: 0,
    held: undefined as Promise<void> | undefined,
  };
  const access = new RemoteAccess({
    clock,
    policy: { defaultPolicy: 'deny', downPolicy, ttlMs, reportsFiltered: true },
    async ask(token, known): Promise<ResolvedToken | undefined> {
      asked.push([token, known]);
      await servers.held;
      if (servers.away) throw new ProconsulError('unavailable', 'no server');
      const rules = servers.rules.get(token);
      if (rules === undefined) return undefined;
      const set = ruleSet(rules);
      const told = { Description: 'of a', CreatedAt: 7 };
      const row = { AccessorID: 'a', ExpiresAt: servers.expiresAt, ...told, Digest: set.digest };
      return known === set.digest ? row : { ...row, Rules: [set] };
    },
  });
  const mayWrite = async (token: string) =>
    (await access.callerOf(token)).rights.may('service', 'write', 'web');
  return { access, clock, asked, servers, mayWrite };
}

const notFound = { code: 'forbidden', message: 'ACL not found' };

describe('who asks an agent without a server', () => {
  it('is asked of a server once for a while, and by all that wait together', async () => {
    const { access, clock, asked, mayWrite } = start();
    assert.deepEqual(await Promise.all([mayWrite('t'), mayWrite('t')]), [true, true]);
    const caller = await access.callerOf('t');
    assert.equal(caller.stands(), true);
    assert.deepEqual(caller.token, { description: 'of a', createdAt: 7, expiresAt: 0 });
    assert.equal(asked.length, 1);
    await clock.advance(TTL_MS);
    assert.equal(caller.stands(), false);
    await mayWrite('t');
    assert.equal(asked.length, 2);
  });

  it('is asked again without the rules that are known', async () => {
    const { clock, asked, servers, mayWrite } = start();
    await mayWrite('t');
    await clock.advance(TTL_MS);
    assert.equal(await mayWrite('t'), true);
    assert.deepEqual(asked[1], ['t', ruleSet(servers.rules.get('t') ?? '').digest]);
    servers.rules.set('t', '');
    await clock.advance(TTL_MS);
    assert.equal(await mayWrite('t'), false);
  });

  it('is refused where nobody knows the token, which is remembered for a moment', async () => {
    const { access, clock, asked, servers, mayWrite } = start();
    await assert.rejects(mayWrite('x'), notFound);
    assert.throws(() => access.callerOf('x'), notFound);
    assert.equal(asked.length, 1);
    servers.rules.set('x', 'service "web" { policy = "write" }');
    await clock.advance(5000);
    assert.equal(await mayWrite('x'), true);
  });

  for (const downPolicy of ['extend-cache', 'async-cache'] as const) {
    it(`is asked of a server again as soon as one says that nobody knows the token: ${downPolicy}`, async () => {
      const { access, asked, servers, mayWrite } = start(downPolicy);
      const caller = await access.callerOf('t');
      access.doubt('t');
      access.doubt('nobody');
      assert.equal(caller.stands(), false);
      // One that was behind may have said it.
      assert.equal(await mayWrite('t'), true);
      assert.equal(asked.length, 2);
      access.doubt('t');
      servers.rules.delete('t');
      await assert.rejects(mayWrite('t'), notFound);
    });

    it(`is not believed where no server is there to gainsay it: ${downPolicy}`, async () => {
      const { access, servers, mayWrite } = start(downPolicy);
      await mayWrite('t');
      access.doubt('t');
      servers.away = true;
      await assert.rejects(mayWrite('t'), notFound);
    });
  }

  it('is nobody any more once the token was revoked', async () => {
    const { clock, servers, mayWrite } = start();
    await mayWrite('t');
    servers.rules.delete('t');
    assert.equal(await mayWrite('t'), true, 'as long as what was said is good');
    await clock.advance(TTL_MS);
    await assert.rejects(mayWrite('t'), notFound);
    servers.away = true;
    await clock.advance(5000);
    assert.equal(await mayWrite('t'), false);
  });

  it('loses its rights when the token ends, though no server could say so', async () => {
    const { access, clock, servers, mayWrite } = start();
    servers.expiresAt = clock.now() + 10_000;
    const caller = await access.callerOf('t');
    servers.away = true;
    await clock.advance(10_000);
    assert.equal(caller.stands(), false);
    await assert.rejects(mayWrite('t'), notFound);
  });
});

describe('acl.down_policy, when no server can be asked', () => {
  for (const [policy, seen, unseen] of [
    ['extend-cache', true, false],
    ['async-cache', true, false],
    ['deny', false, false],
    ['allow', true, true],
  ] as const) {
    it(`${policy}: ${seen ? 'lets in' : 'refuses'} who was known, ${unseen ? 'lets in' : 'refuses'} others`, async () => {
      const { clock, servers, mayWrite } = start(policy);
      await mayWrite('t');
      servers.away = true;
      await clock.advance(TTL_MS);
      assert.equal(await mayWrite('t'), seen);
      assert.equal(await mayWrite('never seen'), unseen);
      await assert.doesNotReject(mayWrite(''));
    });
  }

  it('extend-cache: asks no more often than every two seconds, and believes the servers again', async () => {
    const { clock, asked, servers, mayWrite } = start();
    await mayWrite('t');
    servers.away = true;
    await clock.advance(TTL_MS);
    await mayWrite('t');
    await mayWrite('t');
    assert.equal(asked.length, 2);
    servers.away = false;
    servers.rules.set('t', '');
    await clock.advance(2000);
    assert.equal(await mayWrite('t'), false);
  });

  it('async-cache: answers at once with what was known, and asks meanwhile', async () => {
    const { access, clock, asked, servers } = start('async-cache');
    await access.callerOf('t');
    servers.rules.delete('t');
    await clock.advance(TTL_MS);
    const stale = access.callerOf('t');
    assert.ok(!(stale instanceof Promise));
    assert.equal(asked.length, 2);
    await settle();
    assert.throws(() => access.callerOf('t'), notFound);
  });
});

describe('a token that no server can be asked about', () => {
  it('gets nothing of down_policy where it was never one', async () => {
    const { access, asked, servers } = start('allow');
    servers.away = true;
    for (const word of ['allow', 'deny', 'manage']) {
      await assert.rejects(async () => access.callerOf(word), /Cannot resolve root ACL/);
    }
    assert.deepEqual(asked, []);
  });

  it('is unknown where a server does not even listen to it', async () => {
    for (const [status, says] of [
      [403, 'unknown'],
      [431, 'unknown'],
      [400, 'unknown'],
      [500, 'unavailable'],
      [429, 'busy'],
    ] as const) {
      const answer: ServerAnswer = { status, headers: {}, body: Buffer.from('x') };
      const found = askOverHttp({ ask: async () => answer }, 'n')('t', '').then(
        (known) => (known === undefined ? 'unknown' : 'known'),
        (error: ProconsulError) => error.code,
      );
      assert.equal(await found, says, `${status}`);
    }
  });
});

describe('a flood of tokens that nobody knows', () => {
  it('is asked about a few at a time, of one address fewer still, and takes nobody else’s place', async () => {
    const { access, asked, servers, clock, mayWrite } = start();
    await mayWrite('t');
    await clock.advance(TTL_MS);
    let release: () => void = () => undefined;
    servers.held = new Promise((resolve) => {
      release = resolve;
    });
    const refusals: string[] = [];
    const flood = (from: string) =>
      Array.from({ length: 500 }, async (_, i) => {
        try {
          await access.callerOf(`random ${from} ${i}`, from);
        } catch (error) {
          refusals.push((error as ProconsulError).code);
        }
      });
    const flooding = flood('10.0.0.66');
    await settle();
    assert.equal(asked.length, 1 + 8);
    const others = ['a', 'b', 'c'].flatMap(flood);
    await settle();
    assert.equal(asked.length, 1 + 4 * 8);
    const again = mayWrite('t');
    servers.rules.set('new', 'service "web" { policy = "write" }');
    const newcomer = access.callerOf('new', '10.0.0.1');
    release();
    assert.equal(await again, true);
    assert.equal((await newcomer).rights.may('service', 'write', 'web'), true);
    await Promise.all([...flooding, ...others]);
    assert.equal(refusals.filter((code) => code === 'busy').length, 4 * 492);
  });

  it('leaves no more behind than is allowed to', async () => {
    const { access } = start();
    for (let i = 0; i < 10_500; i++) {
      await assert.rejects(async () => access.callerOf(`random ${i}`), notFound);
    }
    assert.deepEqual(access.load, { known: 0, unknown: 10_000, asking: 0 });
  });
});

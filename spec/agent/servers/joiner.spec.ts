import assert from 'node:assert/strict';
import { introduce, joinAny } from '../../../agent/servers/introduction.ts';
import { Joiner, type JoinSettings } from '../../../agent/servers/joiner.ts';
import { ServerList } from '../../../agent/servers/server-list.ts';
import type { RpcTlsSettings } from '../../../lib/config/keys/tls.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import type { Introduction, ServerInfo } from '../../../lib/membership.ts';
import { Identities } from '../../../lib/tls/identities.ts';
import { TestAuthority, tlsSettings } from '../../support/certificates.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { serveHttps } from '../../support/servers/https-servers.ts';
import { json, noTls, serverInfo, stopped } from '../../support/servers/upstreams.ts';
import { until } from '../../support/until.ts';

const NOBODY = '127.0.0.1:1';
const REFUSED = 'Failed to join 127.0.0.1: dial tcp 127.0.0.1:1: connect: connection refused';
const ASKING = { defaultPort: 1, datacenter: 'dc1', tls: noTls };

function setUp(addresses: readonly string[] = [], settings: Partial<JoinSettings> = {}) {
  const clock = new FakeClock();
  const servers = new ServerList(clock, seededRandom(2));
  const logger = new RecordingLogger();
  const beats = { count: 0, refusal: undefined as string | undefined };
  const joiner = stopped(
    new Joiner({
      servers,
      clock,
      random: seededRandom(2),
      logger,
      isHeard: () => beats.refusal === undefined,
      beat: async () => {
        beats.count++;
        return beats.refusal;
      },
      settings: {
        datacenter: 'dc1',
        tls: noTls,
        lanPort: 1,
        addresses,
        expand: async (address) => [address],
        intervalMs: 30_000,
        maxAttempts: 0,
        onGivenUp: () => logger.lines.push('given up'),
        ...settings,
      },
    }),
  );
  return { clock, servers, joiner, logger, beats };
}

function introduction(Servers: readonly ServerInfo[], Datacenter = 'dc1'): Introduction {
  return { ID: 'x', Node: 'other', Datacenter, Servers };
}

describe('joining where servers are spoken to by TLS', () => {
  const known = introduction([serverInfo('a', NOBODY)]);

  async function asks(rpc: Partial<RpcTlsSettings>) {
    const authority = await TestAuthority.create();
    const config = tlsSettings({}, { caFile: authority.caFile, ...rpc });
    const identities = new Identities({ config, warn: () => undefined, now: Date.now });
    const asking = { ...ASKING, tls: () => identities.servers };
    const join = (address: string) =>
      introduce(address, asking).then(
        ({ Node }) => Node,
        (error: Error) => error.message,
      );
    const answering = async (by: TestAuthority, more: Partial<RpcTlsSettings> = {}) => {
      const files = await by.files({ names: ['server.dc1.consul'] });
      const settings = tlsSettings({}, { ...files, ...more });
      return serveHttps(
        settings,
        json(() => known),
        { forAgents: true },
      );
    };
    return { authority, join, answering };
  }

  it('says nothing in the clear with verify_outgoing', async () => {
    const { join } = await asks({ verifyOutgoing: true });
    let heard = 0;
    const { host } = await serveHttp((_, response) => {
      heard++;
      response.end();
    });
    assert.match(
      await join(host),
      /^Failed to join 127\.0\.0\.1: http: server gave HTTP response to HTTPS client/,
    );
    assert.match(
      await join(`http://${host}`),
      /verify_outgoing is set, and http:\/\/ asks for no TLS/,
    );
    assert.equal(heard, 0);
  });

  it('believes nobody of another authority with verify_outgoing', async () => {
    const { join, answering, authority } = await asks({ verifyOutgoing: true });
    const stranger = await answering(await TestAuthority.create());
    assert.match(await join(`127.0.0.1:${stranger.port}`), /self.signed|unable to verify|issuer/i);
    assert.equal(stranger.parsed(), 0);
    const { port } = await answering(authority);
    assert.equal(await join(`127.0.0.1:${port}`), 'other');
  });

  it('is by TLS where both can, and in the clear where the other cannot', async () => {
    const { join, answering, authority } = await asks({});
    const { host } = await serveHttp(json(() => known));
    assert.equal(await join(host), 'other');
    const both = await answering(authority);
    assert.equal(await join(`127.0.0.1:${both.port}`), 'other');
    assert.deepEqual(both.refused, []);
  });
});

describe('joining', () => {
  it('finds the servers that the other knows, and beats', async () => {
    const known = introduction([serverInfo('a', NOBODY)]);
    const { host, port } = await serveHttp(json(() => known));
    const { joiner, servers, beats } = setUp();
    await joiner.join(host);
    assert.deepEqual([servers.size, beats.count], [1, 1]);
    for (const address of [`http://${host}`, `localhost:${port}`]) {
      assert.deepEqual(await introduce(address, ASKING), known);
    }
    assert.deepEqual(await introduce('127.0.0.1', { ...ASKING, defaultPort: port }), known);
  });

  it('says in Consul’s words why it failed', async () => {
    const { joiner } = setUp();
    await assert.rejects(joiner.join(NOBODY), {
      message: `1 error occurred:\n\t* ${REFUSED}\n\n`,
    });
    await assert.rejects(joiner.join(''), {
      message: '1 error occurred:\n\t* Failed to resolve : lookup : no such host\n\n',
    });
  });

  it('goes on when one of several addresses answers, and fails when none does', async () => {
    const { host } = await serveHttp(json(() => introduction([serverInfo('a', NOBODY)])));
    const { joiner, servers } = setUp();
    await joiner.join(NOBODY, host);
    assert.equal(servers.size, 1);
    await assert.rejects(joiner.join(NOBODY, NOBODY), {
      message: `2 errors occurred:\n\t* ${REFUSED}\n\t* ${REFUSED}\n\n`,
    });
    await joiner.join();
  });

  it('tries every address of a name, of both families, until one knows a server', async () => {
    const known = introduction([serverInfo('a', NOBODY)]);
    const empty = await serveHttp(
      json(() => introduction([])),
      { ip: '127.0.0.2' },
    );
    const { port } = empty;
    await serveHttp(
      json(() => known),
      { ip: '127.0.0.3', port },
    );
    const asking = (...ips: string[]) => ({ ...ASKING, addressesOf: async () => ips });
    const ips = ['::1', '127.0.0.4', '127.0.0.2', '127.0.0.3'];
    assert.deepEqual(await introduce(`http://name:${port}`, asking(...ips)), known);
    assert.deepEqual(await introduce(`name:${port}`, asking('127.0.0.3', '::1')), known);
    // That one answers which knows none yet is more than that others do not answer.
    assert.deepEqual((await introduce(`name:${port}`, asking('127.0.0.2', '::1'))).Servers, []);
  });

  it('says of every address of a name why it failed', async () => {
    const addressesOf = async () => ['::1', '127.0.0.1', '::1'];
    const why = (ip: string, target: string) =>
      `Failed to join ${ip}: dial tcp ${target}:1: connect: connection refused`;
    const both = [why('::1', '[::1]'), why('127.0.0.1', '127.0.0.1')] as const;
    const join = async (name: string) => void (await introduce(name, { ...ASKING, addressesOf }));
    await assert.rejects(join('name'), { message: both.join('; ') });
    await assert.rejects(joinAny(['name', NOBODY], join), {
      message: `3 errors occurred:\n\t* ${both[0]}\n\t* ${both[1]}\n\t* ${REFUSED}\n\n`,
    });
    const nowhere = { ...ASKING, addressesOf: async () => [] };
    await assert.rejects(introduce('name', nowhere), { message: /lookup name: no such host/ });
  });

  it('refuses an agent of another data centre', async () => {
    const other = introduction([serverInfo('a', NOBODY)], 'dc2');
    const { host } = await serveHttp(json(() => other));
    const { joiner, servers, beats } = setUp();
    await assert.rejects(joiner.join(host), {
      message:
        "1 error occurred:\n\t* Failed to join 127.0.0.1: Member 'other' part of wrong datacenter 'dc2'\n\n",
    });
    assert.deepEqual([servers.size, beats.count], [0, 0]);
  });

  it('fails at whatever else answers there, or is no address', async () => {
    const unsound = { ...introduction([]), Servers: [null] };
    for (const answer of [
      null,
      {},
      [],
      { Datacenter: 'dc1' },
      { Datacenter: 5, Servers: [] },
      unsound,
    ]) {
      const { host } = await serveHttp(json(() => answer));
      await assert.rejects(setUp().joiner.join(host), {
        code: 'rejected',
        message: /Failed to join 127.0.0.1: it is no agent that could be joined/,
      });
    }
    await assert.rejects(setUp().joiner.join('http://'), { code: 'rejected', message: /no URL/ });
    await assert.rejects(setUp().joiner.join('127.0.0.1:99999'), { code: 'rejected' });
  });

  it('fails where the servers refuse this agent', async () => {
    const { host } = await serveHttp(json(() => introduction([serverInfo('a', NOBODY)])));
    const { joiner, logger, beats } = setUp();
    beats.refusal = 'Node name n1 is reserved by node x';
    await assert.rejects(joiner.join(host), /Node name n1 is reserved by node x/);
    assert.deepEqual(logger.lines, []);
  });
});

describe('retry_join', () => {
  it('looks anew each time where an address names a place to look in, and says what it finds', async () => {
    const answer = json(() => introduction([serverInfo('a', NOBODY)]));
    const { host } = await serveHttp(answer);
    let found: readonly string[] | undefined;
    const { joiner, servers, clock, logger } = setUp(['provider=k8s'], {
      expand: async () => {
        if (found === undefined) throw new ProconsulError('unavailable', 'no such cluster');
        return found;
      },
    });
    joiner.start();
    const round = async () => {
      await clock.untilArmed();
      await clock.advance(3000);
      await clock.untilArmed();
    };
    await round();
    found = [];
    await round();
    assert.deepEqual(logger.lines, [
      'warn agent: provider=k8s: no such cluster',
      'warn agent: provider=k8s finds nobody',
    ]);
    found = [NOBODY, host];
    await until(async () => {
      await clock.advance(3000);
      return servers.size === 1;
    });
  });

  it('goes on until one of the addresses answers', async () => {
    let ready = false;
    const answer = json(() => introduction([serverInfo('a', NOBODY)]));
    const { host } = await serveHttp((request, response) => {
      if (!ready) request.socket.destroy();
      else answer(request, response);
    });
    const { joiner, servers, clock } = setUp([NOBODY, host]);
    joiner.start();
    await clock.untilArmed();
    assert.equal(servers.size, 0);
    ready = true;
    await clock.advance(3000);
    await until(() => servers.size === 1);
  });

  it('says once of each address why it cannot be joined, and again when that changes', async () => {
    let servers: ServerInfo[] | undefined;
    const { host } = await serveHttp((request, response) => {
      if (servers === undefined) request.socket.destroy();
      else json(() => introduction(servers ?? []))(request, response);
    });
    const { joiner, clock, logger } = setUp([NOBODY, host]);
    joiner.start();
    const rounds = async () => {
      for (let round = 0; round < 5; round++) {
        await clock.untilArmed();
        await clock.advance(3000);
      }
      await clock.untilArmed();
    };
    await rounds();
    assert.equal(logger.lines.length, 2, String(logger.lines));
    servers = [];
    await rounds();
    assert.deepEqual(logger.lines.slice(2), [`warn agent: ${host} knows no server yet`]);
  });

  it('comes less and less often', async () => {
    const { joiner, clock } = setUp([NOBODY]);
    const pauses: number[] = [];
    const after = clock.after.bind(clock);
    clock.after = (ms, fn) => {
      pauses.push(ms);
      return after(ms, fn);
    };
    joiner.start();
    for (let round = 0; round < 8; round++) {
      await clock.untilArmed();
      await clock.advance(3000);
    }
    const [first = 0] = pauses;
    assert.ok(first <= 250 && (pauses.at(-1) ?? 0) >= 2250, String(pauses));
  });

  it('is one search, however often it is started', async () => {
    const { joiner, clock } = setUp([NOBODY]);
    for (let i = 0; i < 10; i++) joiner.start();
    await clock.untilArmed();
    joiner.start();
    await clock.advance(0);
    assert.equal(clock.armed, 1);
  });

  it('ends after retry_max attempts', async () => {
    const { joiner, clock, logger } = setUp([NOBODY], { maxAttempts: 2, intervalMs: 1000 });
    joiner.start();
    await clock.untilArmed();
    await clock.advance(1000);
    await until(() => logger.lines.includes('given up'));
    assert.equal(clock.armed, 0);
  });
});

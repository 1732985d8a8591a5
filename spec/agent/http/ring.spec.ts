import assert from 'node:assert/strict';
import supertest from 'supertest';
import { ringRoutes } from '../../../agent/http/routes/ring.ts';
import { ServerList } from '../../../agent/servers/server-list.ts';
import { createApp } from '../../../lib/http/app.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';

describe('GET /v1/agent/ring', () => {
  it('shows the servers, their shares and where a key goes', async () => {
    const servers = new ServerList(new FakeClock(), seededRandom(1));
    servers.add(
      ['a', 'b', 'c'].map((ID) => ({
        ID,
        Node: `s-${ID}`,
        Datacenter: 'dc1',
        Url: `http://${ID}:8300`,
      })),
    );
    const [owner = assert.fail()] = servers.placed('web');
    servers.breaker.failed(owner.ID);
    const app = createApp({ routes: ringRoutes('n1', () => servers) }, { logger: silentLogger });
    const { body } = await supertest(app).get('/v1/agent/ring?key=web').expect(200);
    const shares = body.Servers.map(({ Share }: { Share: number }) => Share);
    assert.ok(Math.abs(shares.reduce((sum: number, share: number) => sum + share, 0) - 1) < 1e-9);
    assert.equal(body.Server, owner.Node, 'it is its place, even while it fails');
    assert.deepEqual([body.Server, ...body.Then].sort(), ['s-a', 's-b', 's-c']);
    const failing = body.Servers.filter(({ Failing }: { Failing: boolean }) => Failing);
    assert.deepEqual(
      failing.map(({ Node }: { Node: string }) => Node),
      [owner.Node],
    );
  });
});

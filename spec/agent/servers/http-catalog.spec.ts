import assert from 'node:assert/strict';
import { httpCatalog } from '../../../agent/servers/http-catalog.ts';
import { upstreamTo } from '../../support/servers/upstreams.ts';

describe('the catalog of servers', () => {
  it('is asked nothing while no server answers a sign of life in time', async () => {
    let asked = 0;
    const { upstream } = await upstreamTo((_, response) => {
      asked++;
      response.end('null');
    });
    const heartbeat = { isLate: true };
    const catalog = httpCatalog({ upstream, node: 'n1', heartbeat });
    await assert.rejects(catalog.node('n1', ''), { code: 'unavailable' });
    assert.equal(asked, 0);
    heartbeat.isLate = false;
    assert.equal(await catalog.node('n1', ''), undefined);
    assert.equal(asked, 1);
  });
});

import assert from 'node:assert/strict';
import { EVERYTHING } from '../../../lib/acl/rights.ts';
import type { Rows, Written } from '../../../lib/json-bytes.ts';
import { keepAll } from '../../../server/query/catalog.ts';
import { healthOfService } from '../../../server/query/health.ts';
import { Reader } from '../../../server/query/reader.ts';
import { startServer } from '../../support/servers/start-server.ts';

const NODE_CHECKS = 300;
const INSTANCES = 200;

describe('the health of a service', () => {
  it('holds the checks of a node once, however many of its instances it shows', async () => {
    const { put, server } = await startServer();
    const node = { Node: 'a', Address: '10.0.0.1' };
    const Checks = Array.from({ length: NODE_CHECKS }, (_, n) => ({
      CheckID: `c${n}`,
      Name: 'c',
      Status: n === 0 ? 'critical' : 'passing',
    }));
    await put('/v1/catalog/register', { ...node, Checks });
    for (let n = 0; n < INSTANCES; n++) {
      await put('/v1/catalog/register', { ...node, Service: { ID: `web-${n}`, Service: 'web' } });
    }
    const narrowing = { key: '', tags: [], nodeMeta: [], keep: keepAll, near: '' };
    const collected = (passing: boolean) =>
      healthOfService('web', narrowing, passing).run(new Reader(server.state, EVERYTHING))
        .json as Rows;
    const all = collected(false);
    assert.equal(all.size, INSTANCES);
    assert(all.bytes < INSTANCES * NODE_CHECKS, `${all.bytes} bytes`);
    const [first] = all.made(0, 1) as readonly Written[];
    assert.equal(JSON.parse(first?.text ?? '').Checks.length, NODE_CHECKS);
    assert.equal(collected(true).size, 0);
  });
});

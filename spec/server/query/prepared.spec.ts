import assert from 'node:assert/strict';
import { EVERYTHING } from '../../../lib/acl/rights.ts';
import type { PreparedQuery } from '../../../lib/model.ts';
import { execute } from '../../../server/query/prepared.ts';
import { Reader } from '../../../server/query/reader.ts';

import { startServer } from '../../support/servers/start-server.ts';

describe('a prepared query of many instances', () => {
  it("looks for what is a node's own once, though what it finds is shuffled", async () => {
    const { put, server } = await startServer();
    for (let n = 0; n < 30; n++) {
      const Service = { ID: `web-${n}`, Service: 'web' };
      const { status } = await put('/v1/catalog/register', {
        ...{ Node: `n${n % 3}`, Address: '10.0.0.1' },
        Service,
      });
      assert.equal(status, 200);
    }
    const { catalog } = server.state;
    const { checksOfEach } = catalog;
    let looks = 0;
    catalog.checksOfEach = (node) => {
      looks++;
      return checksOfEach.call(catalog, node);
    };
    const query = { Service: { Service: 'web', Near: '' } } as PreparedQuery;
    const asked = { asking: 'n1', near: '', limit: 0, connect: false };
    const chances = Array.from({ length: 30 }, (_, n) => (n * 7919) % 1000);
    const random = { next: () => (chances.pop() ?? 0) / 1000 };
    const found = execute(new Reader(server.state, EVERYTHING), query, asked, {
      ...random,
      uuid: () => '',
      bytes: () => Buffer.alloc(0),
    } as unknown as Parameters<typeof execute>[3]);
    assert.equal(found.length, 30);
    assert(looks <= 30, `${looks}`);
    assert.equal(new Set(found.map(({ instance }) => instance.ID)).size, 30);
  });
});

import assert from 'node:assert/strict';
import { LocalState } from '../../../agent/state/local-state.ts';
import { OwnCatalog } from '../../../agent/sync/own-catalog.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { checkNamed, nodeNamed, serviceNamed } from '../../support/factories.ts';

describe('an agent whose name another one has', () => {
  it('takes nothing of that one out of the catalog', async () => {
    const asked: string[] = [];
    const own = new OwnCatalog({
      local: new LocalState(),
      catalog: {
        node: async () => ({
          node: nodeNamed('n', { ID: 'theirs' }),
          services: [serviceNamed('web')],
          checks: [],
        }),
        register: async ({ skipNodeUpdate }) => {
          asked.push(`register ${skipNodeUpdate}`);
          throw new ProconsulError('rejected', 'Node name n is reserved');
        },
        deregister: async () => void asked.push('deregister'),
      },
      self: {
        node: () => nodeNamed('n', { ID: 'ours' }),
        aliveCheck: checkNamed('serfHealth'),
        token: () => '',
      },
    });
    await own.compare(new Set());
    const refused = await own.tell('web', { service: true, checks: new Set() });
    assert.equal(refused?.error.message, 'Node name n is reserved');
    assert.deepEqual(asked, ['register false']);
  });
});

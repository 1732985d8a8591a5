import assert from 'node:assert/strict';
import { intentionsIn } from '../../../lib/config-entries/intentions.ts';
import { SERVICE_INTENTIONS } from '../../../lib/config-entries/kinds/service-intentions.ts';

describe('intentions of an entry', () => {
  it('are about nobody here where they are of a peer, though he has the same name', () => {
    const by = { Action: 'allow', Precedence: 9, Type: 'consul' };
    const entry = {
      ...{ Kind: SERVICE_INTENTIONS.kind, Name: 'db', CreateIndex: 1, ModifyIndex: 2 },
      Sources: [
        { Name: 'web', Peer: 'elsewhere', ...by },
        { Name: 'web', SamenessGroup: 'all', ...by },
        { Name: 'api', ...by },
      ],
    };
    assert.deepEqual(
      intentionsIn(entry).map(({ SourceName }) => SourceName),
      ['api'],
    );
  });
});

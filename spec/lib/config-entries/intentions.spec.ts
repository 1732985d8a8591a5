import assert from 'node:assert/strict';
import { entryOf, intentionsIn, judgedIn } from '../../../lib/config-entries/intentions.ts';
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

  it('let nobody in who is to show a token of a user besides', () => {
    const by = { Precedence: 9, Type: 'consul' };
    const JWT = { Providers: [{ Name: 'okta' }] };
    const permissions = [
      { Action: 'deny', HTTP: { PathPrefix: '/admin' } },
      { Action: 'allow', HTTP: { PathPrefix: '/' } },
    ];
    const entry = {
      ...{ Kind: SERVICE_INTENTIONS.kind, Name: 'db', CreateIndex: 1, ModifyIndex: 2, JWT },
      Sources: [
        { Name: 'web', Action: 'allow', ...by },
        { Name: 'bad', Action: 'deny', ...by },
        { Name: 'api', Permissions: permissions, ...by },
      ],
    };
    const of = entry as Parameters<typeof intentionsIn>[0];
    const [web, bad, api] = judgedIn(of);
    assert.deepEqual([web?.Action, bad?.Action, api?.Action], ['deny', 'deny', '']);
    assert.deepEqual(api?.Permissions, [permissions[0], { ...permissions[1], JWT }]);
    // Whoever lists them sees what was written, and that a token is asked for.
    const written = intentionsIn(of);
    assert.deepEqual(
      written.map(({ Action, Permissions, JWT: asked }) => [Action, Permissions, asked]),
      [
        ['allow', undefined, JWT],
        ['deny', undefined, JWT],
        ['', permissions, JWT],
      ],
    );
    assert.equal(JSON.stringify(entryOf(written).Sources).includes('okta'), false);
  });
});

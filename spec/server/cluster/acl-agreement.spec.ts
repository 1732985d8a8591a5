import assert from 'node:assert/strict';
import { AclAgreement } from '../../../server/cluster/acl-agreement.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';

describe('servers that disagree on acl.enabled', () => {
  const server = (Node: string, acls: string) => ({ ID: `id-${Node}`, Node, Tags: { acls } });

  function looking(acls: string) {
    const logger = new RecordingLogger();
    const self = server('n1', acls);
    const agreement = new AclAgreement(self, logger);
    return { logger, look: (...others: unknown[]) => agreement.look([self, ...others] as never) };
  }

  const said = (on: string, off: string) =>
    `error server: access control is on at ${on} and off at ${off}, where everything is open: ` +
    'all servers must agree on acl.enabled';

  it('are told so once, on both sides', () => {
    for (const [own, lines] of [
      ['1', [said('n1', 'n2')]],
      ['0', [said('n3', 'n1')]],
    ] as const) {
      const { logger, look } = looking(own);
      for (let beat = 0; beat < 5; beat++) look(server('n2', '0'), server('n3', '1'));
      assert.deepEqual(logger.lines, lines);
    }
  });

  it('are told when they agree, and again when they do not', () => {
    const { logger, look } = looking('1');
    look(server('n2', '0'));
    look(server('n2', '1'));
    look();
    look(server('n2', '0'));
    const agreed = 'info server: n2 no longer disagrees on acl.enabled';
    assert.deepEqual(logger.lines, [said('n1', 'n2'), agreed, said('n1', 'n2')]);
  });
});

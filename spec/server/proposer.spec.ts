import assert from 'node:assert/strict';
import type { EventLog } from '../../server/log/event-log.ts';
import { Proposer } from '../../server/proposer.ts';
import { settle } from '../support/fake-clock.ts';
import { kvCommand } from '../support/proposals.ts';

/** A log that takes writes and never feeds them to a replica. */
const silentLog = { append: async () => undefined } as unknown as EventLog;

describe('Proposer', () => {
  it('leaves no write pending whose outcome went by in a restored snapshot', async () => {
    const proposer = new Proposer(silentLog, 'boot');
    const written = proposer.propose(kvCommand('a'));
    await settle();
    proposer.restored();
    await assert.rejects(written, { code: 'unknown' });
  });
});

import assert from 'node:assert/strict';
import { decodeEntry } from '../../../lib/config-entries/kinds.ts';
import { FirstEntries } from '../../../server/cluster/first-entries.ts';
import type { Command } from '../../../server/commands.ts';
import { apply } from '../../../server/state/apply.ts';
import { State } from '../../../server/state/state.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';

describe("a leader's duty to config entries", () => {
  it('makes those of the configuration where there are none, and tells of one that cannot be', async () => {
    const state = new State();
    const proposed: string[] = [];
    const propose = (command: Command) => {
      proposed.push(command.type);
      const index = state.index + 1;
      const entry = { index, epoch: 1, t: index, id: '', hash: 'h', size: 1, command };
      return Promise.resolve(apply(state, entry).outcome);
    };
    const logger = new RecordingLogger();
    const entries = [
      { Kind: 'service-defaults', Name: 'web', Protocol: 'http' },
      { Kind: 'service-splitter', Name: 'db', Splits: [{ Weight: 100, Service: 'x' }] },
    ].map(decodeEntry);
    const duty = new FirstEntries({ state: () => state, propose, logger }, entries);
    await duty.begin();
    assert.equal(state.configEntries.get('service-defaults', 'web')?.['Protocol'], 'http');
    assert.match(
      logger.lines.join('\n'),
      /service-splitter\/db is not made: discovery chain "db" uses a protocol/,
    );
    const ours = decodeEntry({ Kind: 'service-defaults', Name: 'web', Protocol: 'grpc' });
    await propose({ type: 'set-config-entry', entry: ours });
    await duty.begin();
    assert.equal(state.configEntries.get('service-defaults', 'web')?.['Protocol'], 'grpc');
    assert.equal(proposed.filter((type) => type === 'set-config-entry').length, 4);
  });
});

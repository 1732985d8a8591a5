import assert from 'node:assert/strict';
import { MemberNews } from '../../../server/cluster/member-news.ts';
import type { Command, Entry } from '../../../server/commands.ts';
import { apply } from '../../../server/state/apply.ts';
import { State } from '../../../server/state/state.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';

describe('what the log says of members', () => {
  function start() {
    let state = new State();
    const logger = new RecordingLogger();
    const news = new MemberNews({ server: 's1-id', state: () => state, logger });
    const put = (command: Command) => {
      const index = state.position + 1;
      const place = {
        index,
        epoch: 1,
        t: 1000 * index,
        id: `b/${index}`,
        hash: `${index}`,
        size: 1,
      };
      const entry: Entry = { ...place, command };
      const applied = apply(state, entry);
      state = applied.state;
      news.applied(entry, applied.outcome);
    };
    const beat = (Node: string, role = 'node') =>
      put({
        type: 'member-alive',
        member: { ID: `${Node}-id`, Node, Address: '10.0.0.1', Port: 8301, Tags: { role } },
      });
    const failed = (...nodes: string[]) =>
      put({ type: 'members-failed', term: state.leadership.term, nodes });
    const leads = (server: string) =>
      put({ type: 'claim-leadership', server, replaces: state.leadership.term });
    return { put, beat, failed, leads, news, lines: logger.lines };
  }

  it('is who comes, fails, is back and goes, each once', () => {
    const { put, beat, failed, leads, news, lines } = start();
    news.begin();
    leads('s1-id');
    beat('a1');
    beat('a1');
    failed('a1', 'nobody');
    failed('a1');
    beat('A1');
    put({ type: 'member-left', node: 'a1', prune: false });
    beat('a1');
    failed('a1');
    put({ type: 'member-left', node: 'a1', onlyDead: true, prune: true });
    assert.deepEqual(lines, [
      'info server: cluster leadership acquired: term=1',
      'info server: member joined: member=a1 address=10.0.0.1 role=agent',
      'warn server: member failed, marking health critical: member=a1',
      'info server: member joined: member=A1 address=10.0.0.1 role=agent was=failed',
      'info server: member left: member=a1',
      'info server: member joined: member=a1 address=10.0.0.1 role=agent was=left',
      'warn server: member failed, marking health critical: member=a1',
      'info server: member was forced to leave: member=a1 was=failed',
    ]);
    assert.deepEqual(news.counts, { joined: 3, failed: 2, left: 2 });
  });

  it('is nothing of what stands in the log at a start', () => {
    const { beat, failed, leads, news, lines } = start();
    leads('s1-id');
    beat('a1');
    failed('a1');
    assert.deepEqual(lines, []);
    news.begin();
    beat('a1');
    assert.equal(lines.length, 1);
  });

  it('is who leads, by name, and that this server does not any more', () => {
    const { beat, leads, news, lines } = start();
    beat('s2', 'consul');
    news.begin();
    leads('s2-id');
    leads('s1-id');
    leads('s2-id');
    assert.deepEqual(lines, [
      'info server: New leader elected: leader=s2 term=2',
      'info server: cluster leadership acquired: term=3',
      'warn server: cluster leadership lost: leader=s2 term=4',
    ]);
  });

  it('is nothing of what was refused', () => {
    const { put, news, lines } = start();
    news.begin();
    put({ type: 'members-failed', term: 99, nodes: ['a1'] });
    put({ type: 'claim-leadership', server: 's1-id', replaces: 99 });
    assert.deepEqual(lines, []);
  });
});

import assert from 'node:assert/strict';
import { silentLogger } from '../../lib/logger.ts';
import type { Command } from '../../server/commands.ts';
import { Leader } from '../../server/leader.ts';
import { MemoryLeases } from '../../server/leases.ts';
import { History } from '../support/experiments/history.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';

const S1 = '00000000-0000-4000-a000-000000000001';
const SECOND_MS = 1000;

/** Servers on one log and one set of leases; a server that sleeps proposes nothing. */
function cluster() {
  const clock = new FakeClock();
  const leases = new MemoryLeases(clock);
  const history = new History();
  const commands: Command[] = [];
  const leader = (server: string) =>
    new Leader({
      server,
      leases,
      clock,
      logger: silentLogger,
      reconnectTimeoutMs: 72 * 3600 * SECOND_MS,
      state: () => history.state,
      propose: async (command) => {
        commands.push(command);
        return history.run(command).outcome;
      },
    });
  return { clock, leases, history, commands, leader };
}

describe('a leader', () => {
  it('is who claims first where nobody leads, and it alone', async () => {
    const { history, leader } = cluster();
    const [a, b] = [leader('a'), leader('b')];
    await a.start();
    await b.start();
    assert.deepEqual([a.isLeader, b.isLeader], [true, false]);
    assert.deepEqual([a.knowsLeader, b.knowsLeader], [true, true]);
    assert.equal(history.state.leadership.term, 1);
    await Promise.all([a.stop(), b.stop()]);
  });

  it('leads on while it renews, and writes nothing to do so', async () => {
    const { clock, commands, leader } = cluster();
    const a = leader('a');
    await a.start();
    const b = leader('b');
    await b.start();
    await clock.advance(60 * SECOND_MS);
    assert.equal(commands.length, 1);
    await Promise.all([a.stop(), b.stop()]);
  });

  it('is followed by another when it is gone, with a higher term', async () => {
    const { clock, history, leader } = cluster();
    const [a, b] = [leader('a'), leader('b')];
    await a.start();
    await b.start();
    await a.stop();
    await clock.advance(3 * SECOND_MS);
    assert.equal(b.isLeader, true);
    assert(history.state.leadership.term > 1);
    await b.stop();
  });

  it('ends sessions whose lease ran out, and tries again until the log takes it', async () => {
    const { clock, history, leader } = cluster();
    history.register('a');
    const a = leader('a');
    await a.start();
    history.session(S1, { TTL: '10s' });
    await a.renewSession(S1);
    await clock.advance(16 * SECOND_MS);
    assert.equal(history.state.sessions.get(S1), undefined);
    await a.stop();
  });

  it('gives a session whose lease was lost a new one, rather than ending or keeping it', async () => {
    const { clock, leases, history, leader } = cluster();
    history.register('a');
    history.session(S1, { TTL: '10s' });
    const a = leader('a');
    await a.start();
    assert((await leases.remaining()).has(`session/${S1}`));
    await clock.advance(10 * SECOND_MS);
    assert.notEqual(history.state.sessions.get(S1), undefined);
    await clock.advance(10 * SECOND_MS);
    assert.equal(history.state.sessions.get(S1), undefined);
    await a.stop();
  });

  it('leaves no timer when it stops, and stops twice', async () => {
    const { clock, leader } = cluster();
    const a = leader('a');
    await a.start();
    await a.stop();
    await a.stop();
    assert.equal(clock.armed, 0);
  });
});

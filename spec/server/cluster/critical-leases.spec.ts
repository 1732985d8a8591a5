import assert from 'node:assert/strict';
import { CriticalLeases } from '../../../server/cluster/critical-leases.ts';
import { Keeper } from '../../../server/cluster/keeper.ts';
import { Leader } from '../../../server/cluster/leader.ts';
import { MemoryLeases } from '../../../server/cluster/memory-leases.ts';
import type { Command } from '../../../server/commands.ts';
import { History } from '../../support/experiments/history.ts';
import { checkNamed, nodeNamed, registerOn, serviceNamed } from '../../support/factories.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';

const MINUTE_MS = 60_000;
const TIMES = { minMs: MINUTE_MS, nodeMs: 3 * MINUTE_MS };

async function start() {
  const clock = new FakeClock();
  const history = new History();
  const leases = new MemoryLeases(clock);
  const logger = new RecordingLogger();
  const state = () => history.state;
  const propose = async (command: Command) => history.run(command, 1).outcome;
  const leaderOf = (server: string) => {
    const critical = new CriticalLeases({ leases, state, propose, logger, times: TIMES });
    const keeper = new Keeper({ leases, kinds: [critical], clock, logger });
    return new Leader({ server, leases, state, propose, clock, logger }, [keeper, critical]);
  };
  const leader = leaderOf('a');
  await leader.start();
  const say = (Status: string, after = '90s', Output = '') => {
    const Definition = { TTL: '10s', DeregisterCriticalServiceAfter: after };
    const check = checkNamed('c', { ServiceID: 'db', Status, Definition, Output });
    history.run(registerOn('ext1', { service: serviceNamed('db'), checks: [check] }));
  };
  const isThere = () => history.state.catalog.instance('ext1', 'db') !== undefined;
  return { clock, history, leases, logger, leader, leaderOf, say, isThere };
}

describe('a service without an agent whose check is critical for too long', () => {
  it('goes, and its node stays', async () => {
    const { clock, history, leader, logger, say, isThere } = await start();
    say('critical');
    await clock.advance(89_000);
    assert(isThere());
    await clock.advance(3000);
    assert(!isThere());
    assert.notEqual(history.state.catalog.node('ext1'), undefined);
    assert.match(logger.lines.join('\n'), /check "c" was critical for too long, so "db" on node/);
    await leader.stop();
  });

  it('is given its whole time again once it was well, and no less than a minute', async () => {
    const { clock, leader, say, isThere } = await start();
    say('critical', '1s');
    await clock.advance(58_000);
    say('passing', '1s');
    await clock.advance(1000);
    say('critical', '1s');
    await clock.advance(58_000);
    assert(isThere());
    await clock.advance(4000);
    assert(!isThere());
    await leader.stop();
  });

  it('is not given more for what else it says', async () => {
    const { clock, leader, say, isThere } = await start();
    for (let s = 0; s < 90; s += 10) {
      say('critical', '90s', `tried ${s}`);
      await clock.advance(10_000);
    }
    await clock.advance(2000);
    assert(!isThere());
    await leader.stop();
  });

  it('is not given more by another leader', async () => {
    const { clock, leader, leaderOf, say, isThere } = await start();
    say('critical');
    await clock.advance(80_000);
    await leader.stop();
    const next = leaderOf('b');
    await next.start();
    // It leads when the other's lease is over, and leaves each lease fifteen seconds.
    await clock.advance(19_000);
    assert(!isThere());
    await next.stop();
  });

  it('stays where it recovers while another leads', async () => {
    const { clock, leader, leaderOf, say, isThere } = await start();
    say('critical');
    await clock.advance(80_000);
    await leader.stop();
    say('passing');
    const next = leaderOf('b');
    await next.start();
    await clock.advance(3000);
    say('critical');
    await clock.advance(60_000);
    assert(isThere());
    await next.stop();
  });

  it('stays for ever where nothing is said of it, or an agent sees to it', async () => {
    const { clock, history, leader, say, isThere } = await start();
    say('critical', '0s');
    await clock.advance(10 * MINUTE_MS);
    assert(isThere());
    history.run(registerOn('ext1', { checks: [checkNamed('serfHealth')] }));
    say('critical');
    await clock.advance(10 * MINUTE_MS);
    assert(isThere());
    await leader.stop();
  });
});

describe('an external node that is not reached for too long', () => {
  it('goes with all that is on it', async () => {
    const { clock, history, leader } = await start();
    const Meta = { 'external-node': 'true', 'external-probe': 'true' };
    const checks = [checkNamed('externalNodeHealth', { Status: 'critical' })];
    const node = nodeNamed('ext1', { Meta });
    history.run(registerOn('ext1', { node, service: serviceNamed('db'), checks }));
    history.run(registerOn('ext2', { service: serviceNamed('db'), checks }));
    await clock.advance(2.9 * MINUTE_MS);
    assert.notEqual(history.state.catalog.node('ext1'), undefined);
    await clock.advance(0.2 * MINUTE_MS);
    assert.equal(history.state.catalog.node('ext1'), undefined);
    // Nobody has asked for that one to be looked at.
    assert.notEqual(history.state.catalog.node('ext2'), undefined);
    await leader.stop();
  });
});

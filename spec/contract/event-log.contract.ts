/** What every event log must hold to. Each log's own spec runs this with a rig of its own. */
import assert from 'node:assert/strict';
import type { Clock } from '../../lib/clock.ts';
import type { EventLog } from '../../server/log/event-log.ts';
import { proposals } from '../support/experiments/proposals.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { RecordingSink } from '../support/fakes/recording-sink.ts';
import { describeAppend } from './event-log/append.ts';
import { describeContent } from './event-log/content.ts';
import { describeHistory } from './event-log/history.ts';
import { type CaseOf, type LogRig, untilFed } from './event-log/log-case.ts';
import { describeSnapshot } from './event-log/snapshot.ts';
import { describeStop } from './event-log/stop.ts';

export function describeEventLog(name: string, newRig: () => Promise<LogRig>): void {
  describe(`${name}: the contract of an event log`, () => {
    let rig: LogRig;
    let opened: EventLog[] = [];

    const open = (clock: Clock = new FakeClock()) => {
      const log = rig.open(clock);
      opened.push(log);
      return log;
    };
    const stopAll = async () => {
      for (const log of opened.splice(0)) await log.stop();
    };
    const restart = async (clock?: Clock) => {
      await stopAll();
      const log = open(clock);
      const sink = new RecordingSink(rig.sealed);
      await log.start(sink);
      return { log, sink };
    };

    beforeEach(async () => {
      opened = [];
      rig = await newRig();
    });
    afterEach(async () => {
      await stopAll();
      await rig.dispose();
    });

    const caseOf = () => ({ restart, open });
    describeStart(caseOf);
    describeAppend(caseOf);
    describeContent(caseOf);
    describeSnapshot(caseOf);
    describeHistory(caseOf);
    describeStop(caseOf);
  });
}

function describeStart(caseOf: CaseOf): void {
  describe('start', () => {
    it('feeds nothing from an empty log, and lets writes in', async () => {
      const { log, sink } = await caseOf().restart();
      assert.deepEqual(sink.entries, []);
      assert.equal(sink.restored, undefined);
      assert.equal(log.status().writable, true);
      assert.equal(await log.readIndex(), 0);
    });

    it('has fed everything when it resolves', async () => {
      const first = await caseOf().restart();
      await first.log.append(proposals('a', 700));
      await untilFed(first, 700);
      const { sink } = await caseOf().restart();
      assert.deepEqual(sink.entries, first.sink.entries);
    });

    it('goes on where the last process ended, as often as it is started', async () => {
      for (let round = 0; round < 5; round++) {
        const opened = await caseOf().restart();
        assert.equal(opened.sink.entries.length, round * 3);
        await opened.log.append(proposals(`r${round}`, 3));
        await untilFed(opened, (round + 1) * 3);
      }
    });
  });
}

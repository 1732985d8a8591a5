import assert from 'node:assert/strict';
import { proposal, proposals } from '../../support/experiments/proposals.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { type CaseOf, untilFed } from './log-case.ts';

const HOUR_MS = 3_600_000;

export function describeAppend(caseOf: CaseOf): void {
  describe('append', () => {
    it('writes a batch in its order', async () => {
      const opened = await caseOf().restart();
      const batch = proposals('a', 50);
      await opened.log.append(batch);
      await untilFed(opened, 50);
      assert.deepEqual(
        opened.sink.entries.map(({ id, command }) => ({ id, command })),
        batch.map(({ id, command }) => ({ id, command })),
      );
    });

    it('writes batch after batch', async () => {
      const opened = await caseOf().restart();
      for (let i = 0; i < 30; i++) await opened.log.append(proposals(`b${i}`, 1 + (i % 4)));
      await untilFed(opened, 73);
      assert.equal(await opened.log.readIndex(), 73);
    });

    it('takes as many batches at once as it says, and has them written and settled in their order', async () => {
      const opened = await caseOf().restart();
      const { log } = opened;
      const settled: number[] = [];
      let underWay: Promise<void>[] = [];
      for (let i = 0; i < 40; i++) {
        const settling = log
          .append(proposals(`b${i}`, 1 + (i % 3)))
          .then(() => void settled.push(i));
        underWay = [...underWay, settling];
        // Now and then all are waited for, as where nothing is left to write.
        const most = i % 7 === 6 ? 0 : (log.batchesAtOnce ?? 1) - 1;
        while (underWay.length > most) await underWay.shift();
      }
      await Promise.all(underWay);
      await untilFed(opened, 79);
      const written = Array.from({ length: 40 }, (_, i) => proposals(`b${i}`, 1 + (i % 3))).flat();
      assert.deepEqual(
        opened.sink.ids,
        written.map(({ id }) => id),
      );
      assert.deepEqual(
        settled,
        [...settled].sort((a, b) => a - b),
      );
    });

    it('takes an empty batch for written', async () => {
      const opened = await caseOf().restart();
      await opened.log.append([]);
      await opened.log.append([proposal('x')]);
      await untilFed(opened, 1);
      assert.equal(await opened.log.readIndex(), 1);
    });

    it('keeps what it resolved for', async () => {
      const { log } = await caseOf().restart();
      await log.append(proposals('a', 3));
      const { sink } = await caseOf().restart();
      assert.deepEqual(sink.ids, ['a-0', 'a-1', 'a-2']);
    });

    describeRetries(caseOf);
    describeTime(caseOf);
  });

  describe('readIndex', () => {
    it('is at or past every write acknowledged before', async () => {
      const { log } = await caseOf().restart();
      for (let i = 1; i <= 20; i++) {
        await log.append([proposal(`p${i}`)]);
        assert((await log.readIndex()) >= i);
      }
    });

    it('is known right after a start', async () => {
      await (await caseOf().restart()).log.append(proposals('a', 9));
      assert.equal(await (await caseOf().restart()).log.readIndex(), 9);
    });
  });
}

function describeRetries(caseOf: CaseOf): void {
  it('writes a proposal once, however often it comes', async () => {
    const opened = await caseOf().restart();
    const once = proposal('once');
    for (let i = 0; i < 4; i++) await opened.log.append([once]);
    await opened.log.append([proposal('after')]);
    await untilFed(opened, 2);
    assert.deepEqual(opened.sink.ids, ['once', 'after']);
  });

  it('writes a proposal once that is twice in a batch', async () => {
    const opened = await caseOf().restart();
    await opened.log.append([proposal('a'), proposal('b'), proposal('a')]);
    await untilFed(opened, 2);
    assert.deepEqual(opened.sink.ids, ['a', 'b']);
  });

  it('writes of a batch only what is new', async () => {
    const opened = await caseOf().restart();
    await opened.log.append(proposals('a', 3));
    await opened.log.append([...proposals('b', 2), ...proposals('a', 3), proposal('c')]);
    await untilFed(opened, 6);
    assert.deepEqual(opened.sink.ids, ['a-0', 'a-1', 'a-2', 'b-0', 'b-1', 'c']);
  });

  it('knows a proposal again after a restart', async () => {
    const { log } = await caseOf().restart();
    await log.append(proposals('a', 3));
    const second = await caseOf().restart();
    await second.log.append([...proposals('a', 4)]);
    await untilFed(second, 4);
    assert.deepEqual(second.sink.ids, ['a-0', 'a-1', 'a-2', 'a-3']);
  });
}

function describeTime(caseOf: CaseOf): void {
  it('never lets its clock go back, even where the machine has', async () => {
    const clock = new FakeClock();
    const first = await caseOf().restart(clock);
    await first.log.append([proposal('a')]);
    const second = await caseOf().restart(new FakeClock(clock.now() - HOUR_MS));
    await second.log.append([proposal('b')]);
    await untilFed(second, 2);
    const [a, b] = second.sink.entries;
    assert(a !== undefined && b !== undefined);
    assert(b.t >= a.t);
  });

  it('lets its clock go on where the machine’s was set back, and follows that in the end', async () => {
    const clock = new FakeClock();
    const opened = await caseOf().restart(clock);
    const times: number[] = [];
    const write = async () => {
      await opened.log.append([proposal(`p${times.length}`)]);
      await untilFed(opened, times.length + 1);
      times.push(opened.sink.entries.at(-1)?.t ?? 0);
    };
    await write();
    clock.setWall(-HOUR_MS);
    for (let i = 0; i < 4; i++) {
      await clock.advance(1000);
      await write();
    }
    const went = (times.at(-1) ?? 0) - (times[0] ?? 0);
    // A log with a clock of its own has not been set back, and goes by that.
    const isOurs = times[0] === clock.now() + HOUR_MS - 4000;
    if (isOurs) assert.deepEqual(went, 2000);
    await clock.advance(2 * HOUR_MS);
    await write();
    if (isOurs) assert.equal(times.at(-1), clock.now());
  });

  it('keeps its epoch over a restart', async () => {
    const first = await caseOf().restart();
    await first.log.append([proposal('a')]);
    const second = await caseOf().restart();
    await second.log.append([proposal('b')]);
    await untilFed(second, 2);
    assert.deepEqual(new Set(second.sink.entries.map(({ epoch }) => epoch)).size, 1);
    assert(second.sink.position.epoch >= 1);
  });
}

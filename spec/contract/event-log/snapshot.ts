import assert from 'node:assert/strict';
import { proposal, proposals } from '../../support/experiments/proposals.ts';
import { until } from '../../support/until.ts';
import { type CaseOf, type Opened, untilFed } from './log-case.ts';

const LINES = ['{"type":"head"}', '"a\u2028b"', '"\\u0000"', '{"Flags":18446744073709551615}'];

export function describeSnapshot(caseOf: CaseOf): void {
  const filled = async (count: number) => {
    const opened = await caseOf().restart();
    await opened.log.append(proposals('a', count));
    await untilFed(opened, count);
    return opened;
  };

  describe('saveSnapshot', () => {
    it('keeps a snapshot that a start restores, byte for byte', async () => {
      const { log, sink } = await filled(10);
      await log.saveSnapshot({ position: sink.position, lines: LINES });
      const second = await caseOf().restart();
      assert.deepEqual(second.sink.restored, { position: sink.position, lines: LINES });
      assert.deepEqual(second.sink.ids, []);
      assert.equal(await second.log.readIndex(), 10);
    });

    it('is known of, by its index, to whoever reads the log', async () => {
      const { log, sink } = await filled(10);
      assert.equal(log.newestSnapshot(), 0);
      await log.saveSnapshot({ position: sink.position, lines: LINES });
      await until(() => log.newestSnapshot() === 10);
      const second = await caseOf().restart();
      await until(() => second.log.newestSnapshot() === 10);
    });

    it('lets the entries after it follow, chained to it', async () => {
      const opened = await filled(10);
      await opened.log.saveSnapshot({ position: opened.sink.position, lines: LINES });
      await opened.log.append(proposals('b', 5));
      await untilFed(opened, 15);
      const second = await caseOf().restart();
      assert.equal(second.sink.restored?.position.index, 10);
      assert.deepEqual(second.sink.ids, ['b-0', 'b-1', 'b-2', 'b-3', 'b-4']);
      await second.log.append([proposal('c')]);
      await untilFed(second, 6);
      assert.equal(second.sink.position.index, 16);
    });

    it('may be of an earlier position than the last entry', async () => {
      const opened = await filled(10);
      const { position } = opened.sink;
      await opened.log.append(proposals('b', 3));
      await untilFed(opened, 13);
      await opened.log.saveSnapshot({ position, lines: LINES });
      const { sink } = await caseOf().restart();
      assert.equal(sink.restored?.position.index, 10);
      assert.deepEqual(sink.ids, ['b-0', 'b-1', 'b-2']);
    });

    describeReplacement(caseOf, filled);
    describeLines(caseOf, filled);
    describeFailure(caseOf, filled);
  });
}

type Fill = (count: number) => Promise<Opened>;

function describeReplacement(caseOf: CaseOf, filled: Fill): void {
  it('is replaced by a newer one', async () => {
    const opened = await filled(4);
    for (let i = 0; i < 4; i++) {
      await opened.log.append([proposal(`b${i}`)]);
      await untilFed(opened, 5 + i);
      await opened.log.saveSnapshot({ position: opened.sink.position, lines: [`${i}`] });
    }
    const { sink } = await caseOf().restart();
    assert.deepEqual(sink.restored, { position: opened.sink.position, lines: ['3'] });
  });

  it('is not replaced by an older one', async () => {
    const opened = await filled(4);
    const older = opened.sink.position;
    await opened.log.append([proposal('b')]);
    await untilFed(opened, 5);
    await opened.log.saveSnapshot({ position: opened.sink.position, lines: ['"new"'] });
    await opened.log.saveSnapshot({ position: older, lines: ['"old"'] });
    const { sink } = await caseOf().restart();
    assert.deepEqual(sink.restored?.lines, ['"new"']);
  });

  it('goes on from snapshot to snapshot over restarts', async () => {
    for (let round = 0; round < 4; round++) {
      const opened = await caseOf().restart();
      assert.equal(opened.sink.position.index, round * 20);
      await opened.log.append(proposals(`r${round}`, 10));
      await untilFed(opened, round === 0 ? 10 : 20);
      await opened.log.saveSnapshot({ position: opened.sink.position, lines: LINES });
      await opened.log.append(proposals(`s${round}`, 10));
      await untilFed(opened, round === 0 ? 20 : 30);
    }
  });
}

function describeLines(caseOf: CaseOf, filled: Fill): void {
  it('takes its lines as they are made, while writes go on', async () => {
    const opened = await filled(3);
    const { log, sink } = opened;
    async function* lines() {
      for (let i = 0; i < 5; i++) {
        await log.append([proposal(`during-${i}`)]);
        yield `${i}`;
      }
    }
    await log.saveSnapshot({ position: sink.position, lines: lines() });
    await untilFed(opened, 8);
    const second = await caseOf().restart();
    assert.deepEqual(second.sink.restored?.lines, ['0', '1', '2', '3', '4']);
    assert.equal(second.sink.position.index, 8);
  });

  it('may be empty, and may be large', async () => {
    const opened = await filled(1);
    await opened.log.saveSnapshot({ position: opened.sink.position, lines: [] });
    assert.deepEqual((await caseOf().restart()).sink.restored?.lines, []);

    const second = await caseOf().restart();
    await second.log.append([proposal('b')]);
    await untilFed(second, 1);
    const lines = Array.from({ length: 20_000 }, (_, i) =>
      JSON.stringify({ i, pad: 'é'.repeat(40) }),
    );
    await second.log.saveSnapshot({ position: second.sink.position, lines });
    assert.deepEqual((await caseOf().restart()).sink.restored?.lines, lines);
  });
}

function describeFailure(caseOf: CaseOf, filled: Fill): void {
  it('leaves everything as it was when its lines fail', async () => {
    const { log, sink } = await filled(5);
    function* lines() {
      yield '1';
      throw new Error('the state is gone');
    }
    await assert.rejects(log.saveSnapshot({ position: sink.position, lines: lines() }));
    await log.append([proposal('b')]);
    const second = await caseOf().restart();
    assert.equal(second.sink.restored, undefined);
    assert.equal(second.sink.entries.length, 6);
  });

  it('leaves the older snapshot when a newer one fails', async () => {
    const opened = await filled(5);
    await opened.log.saveSnapshot({ position: opened.sink.position, lines: LINES });
    await opened.log.append([proposal('b')]);
    await untilFed(opened, 6);
    function* lines() {
      yield '1';
      throw new Error('the state is gone');
    }
    const { position } = opened.sink;
    await assert.rejects(opened.log.saveSnapshot({ position, lines: lines() }));
    const second = await caseOf().restart();
    assert.deepEqual(second.sink.restored?.lines, LINES);
    assert.deepEqual(second.sink.ids, ['b']);
  });
}

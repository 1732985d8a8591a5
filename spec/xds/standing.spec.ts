/** What operators hear of clients whose questions stand in line. */
import assert from 'node:assert/strict';
import { Account } from '../../xds/accounts.ts';
import { Standing } from '../../xds/serving/standing.ts';
import { Turns } from '../../xds/turns.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';

describe('what stands in line', () => {
  it('is counted once, until its turn', async () => {
    const turns = new Turns();
    const [one, other] = [new Account({ followed: 1 }), new Account({ followed: 1 })];
    while (turns.take(one, 16, () => false) === undefined);
    const last = turns.take(one, 16, () => false);
    assert.ok(last);
    turns.also(last, other);
    assert.equal(turns.waiting, 2);
    await last.turn;
    assert.equal(turns.waiting, 0);
  });

  it('is said where that lasts, once in a minute', () => {
    const logger = new RecordingLogger();
    const standing = new Standing(logger);
    const review = (times: number, waiting: number) => {
      for (let i = 0; i < times; i++) standing.review(waiting);
      return logger.lines.length;
    };
    assert.equal(review(10, 5), 0);
    assert.equal(review(1, 0), 0);
    assert.equal(review(10, 5), 0);
    assert.equal(review(1, 7), 1);
    assert.match(logger.lines[0] ?? '', /waits for its turn.*7/);
    assert.equal(review(59, 7), 1);
    assert.equal(review(1, 7), 2);
  });
});

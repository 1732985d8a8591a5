import assert from 'node:assert/strict';
import { Shares } from '../../xds/serving/shares.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';

const sharesOf = (most: number, logger = new RecordingLogger()) =>
  new Shares({ most, of: 'streams', logger });

const minutes = (shares: Shares, count: number) => {
  for (let second = 0; second < 60 * count; second++) shares.review();
};

/** Takes so many, which give way when they are to; says how many it has. */
function crowd(shares: Shares, address: string) {
  const has = new Set<() => void>();
  const take = (times: number): number => {
    for (let i = 0; i < times; i++) {
      const gone = () => {
        giveBack?.();
        if (giveBack !== undefined) has.delete(giveBack);
      };
      const giveBack: (() => void) | undefined = shares.take(address, gone);
      if (giveBack !== undefined) has.add(giveBack);
    }
    return has.size;
  };
  const hangUp = () => {
    for (const each of has) each();
    has.clear();
  };
  return { take, hangUp };
}

describe('shares of what there is a limited number of', () => {
  it('are half of it for one address at most, and all of it for all', () => {
    const shares = sharesOf(6);
    const took = (peer: string, times: number) =>
      Array.from({ length: times }, () => shares.take(peer)).filter((each) => each !== undefined);
    const [first] = took('10.0.0.1', 9);
    assert.equal(took('10.0.0.1', 1).length, 0);
    assert.equal(took('::1', 2).length, 2);
    assert.equal(took('10.0.0.2', 9).length, 1);
    first?.();
    first?.();
    assert.equal(took('10.0.0.1', 9).length, 1);
  });

  it('are taken from whoever has most for whoever has less, once all are taken', () => {
    const shares = sharesOf(6);
    const gone: string[] = [];
    const take = (peer: string, name: string) => {
      const giveBack: (() => void) | undefined = shares.take(peer, () => {
        gone.push(name);
        giveBack?.();
      });
      return giveBack;
    };
    for (const time of [1, 2, 3])
      for (const peer of ['10.0.0.1', '10.0.0.2']) take(peer, peer + time);
    assert.notEqual(take('10.0.0.3', 'a'), undefined);
    const second = take('10.0.0.3', 'b');
    assert.deepEqual(gone, ['10.0.0.13', '10.0.0.23']);
    // Each has as many by now: nobody takes any more from anybody.
    for (const peer of ['10.0.0.1', '10.0.0.2', '10.0.0.3'])
      assert.equal(take(peer, 'c'), undefined);
    second?.();
    assert.notEqual(take('10.0.0.4', 'd'), undefined);
    assert.equal(gone.length, 2);
    assert.notEqual(take('10.0.0.3', 'e') ?? take('10.0.0.5', 'e'), undefined);
    assert.deepEqual(gone.slice(2), ['10.0.0.12']);
  });

  it('are of a whole network of IPv6: who has one address of it has all', () => {
    const shares = sharesOf(6);
    const taken = Array.from({ length: 9 }, (_, i) => shares.take(`[2001:db8:0:1::${i}]`));
    assert.equal(taken.filter((each) => each !== undefined).length, 3);
    assert.notEqual(shares.take('2001:db8:0:2::1'), undefined);
    assert.notEqual(shares.take('::ffff:10.0.0.1'), undefined);
    assert.notEqual(shares.take('::ffff:10.0.0.2'), undefined);
  });

  it('stay with an address as far as it has had them for some time, and it comes again to what it had', () => {
    const shares = sharesOf(100);
    const honest = crowd(shares, '10.0.0.1');
    const strangers = Array.from({ length: 40 }, (_, i) => crowd(shares, `10.0.1.${i}`));
    honest.take(25);
    minutes(shares, 2);
    const held = () => strangers.reduce((sum, each) => sum + each.take(0), 0);
    for (const each of strangers) each.take(9);
    // A fifth of all there may be.
    assert.equal(honest.take(0), 20);
    assert.equal(held(), 80);
    honest.hangUp();
    for (const each of strangers) each.take(2);
    assert.equal(held(), 100);
    // Whose line was cut comes to what he had, and to no more.
    minutes(shares, 5);
    assert.equal(honest.take(30), 20);
    honest.hangUp();
    for (const each of strangers) each.take(2);
    minutes(shares, 12);
    assert.ok(honest.take(30) < 5);
  });

  it('stay so with some only: half of all is for whoever comes, however long others have been there', () => {
    const shares = sharesOf(100);
    const before = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'].map((address) => {
      const each = crowd(shares, address);
      each.take(25);
      return each;
    });
    minutes(shares, 60);
    const late = crowd(shares, '10.0.0.9');
    assert.equal(late.take(50), 20);
    assert.deepEqual(
      before.map((each) => each.take(0)),
      [20, 20, 20, 20],
    );
    const many = Array.from({ length: 60 }, (_, i) => crowd(shares, `10.0.1.${i}`));
    assert.equal(
      many.reduce((sum, each) => sum + each.take(1), 0),
      48,
    );
    assert.deepEqual(
      before.map((each) => each.take(0)),
      [20, 20, 10, 1],
    );
  });

  it('are said in the log, where they are not enough, once in a minute', () => {
    const logger = new RecordingLogger();
    const shares = sharesOf(4, logger);
    const [one, other] = [crowd(shares, '10.0.0.1'), crowd(shares, '10.0.0.2')];
    one.take(2);
    other.take(2);
    minutes(shares, 2);
    assert.deepEqual(logger.lines, []);
    crowd(shares, '10.0.0.3').take(1);
    one.take(3);
    shares.review();
    assert.equal(logger.lines.length, 1);
    assert.match(logger.lines.join(), /more streams come/);
    one.take(3);
    for (let second = 0; second < 59; second++) shares.review();
    assert.equal(logger.lines.length, 1);
    shares.review();
    assert.equal(logger.lines.length, 2);
    minutes(shares, 3);
    assert.equal(logger.lines.length, 2);
  });
});

import assert from 'node:assert/strict';
import { hasRoom, inLine, inRoom, looked, lookedFor, standing } from '../../lib/looking.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** One who asks, until he goes. */
function asking(remoteAddress: string) {
  const gone: (() => void)[] = [];
  return {
    remoteAddress,
    onceOver: (call: () => void) => void gone.push(call),
    go: () => {
      for (const call of gone) call();
    },
  };
}

describe('what is worked out at once', () => {
  /** A turn that nobody has taken anything of: it is one for the whole process. */
  beforeEach(async () => {
    looked(1000);
    while (!hasRoom()) await nextTurn();
  });

  it('has some milliseconds of each turn, and nothing is left of those before', async () => {
    for (let turn = 0; turn < 5; turn++) {
      looked(9);
      assert(hasRoom());
      await nextTurn();
      await nextTurn();
      assert.equal(lookedFor(), 0);
    }
    looked(9);
    looked(9);
    assert(!hasRoom());
    await nextTurn();
    await nextTurn();
    assert(hasRoom());
  });

  it('comes to those who wait by one long look in a turn, or by many short ones', async () => {
    for (const [ms, most] of [
      [60, 1],
      [1, 10],
    ] as const) {
      let came = 0;
      const all = Array.from({ length: 30 }, () =>
        inLine(asking('10.0.0.1'), () => {
          came++;
          looked(ms);
        }),
      );
      assert(!hasRoom(), 'those who wait come first');
      let found = 0;
      for (let before = 0; came < all.length; before = came) {
        await nextTurn();
        found = Math.max(found, came - before);
      }
      assert.equal(found, most);
      await Promise.all(all);
    }
  });

  it('comes to each network for as long as to any other, from however many addresses', async () => {
    const got = { long: 0, short: 0 };
    const ask = (what: 'long' | 'short', address: string, ms: number): Promise<void> =>
      inLine(asking(address), () => {
        got[what] += ms;
        looked(ms);
      }).then(async () => {
        // And again at once, for as long as there is somebody of both.
        if (got.long < 600 && got.short < 600) await ask(what, address, ms);
      });
    await Promise.all([
      ...Array.from({ length: 20 }, (_, n) => ask('long', `2001:db8::${n + 1}`, 60)),
      ...Array.from({ length: 20 }, () => ask('short', '10.0.0.1', 1)),
    ]);
    const before = Math.min(got.long, got.short);
    assert(before >= 400, JSON.stringify(got));
  });

  it('comes to one who has had some also where others come who never had any', async () => {
    const got = { one: 0, others: 0 };
    const ask = (who: 'one' | 'others', address: () => string): Promise<void> =>
      inLine(asking(address()), () => {
        got[who]++;
        looked(2);
      }).then(async () => {
        if (got.others < 200) await ask(who, address);
      });
    let networks = 0;
    await Promise.all([
      ask('one', () => '10.0.0.1'),
      ...Array.from({ length: 12 }, () => ask('others', () => `2001:db8:0:${++networks}::1`)),
    ]);
    assert(got.one >= 10, `${got.one} beside ${got.others}`);
  });

  it('is of so many in a turn where no clock tells that they take time, or they fail', async () => {
    let came = 0;
    const all = Array.from({ length: 200 }, (_, n) =>
      inLine(asking('10.0.0.1'), () => {
        came++;
        if (n % 2 === 0) throw new Error('as it is');
      }),
    );
    const ended = Promise.allSettled(all);
    let most = 0;
    for (let before = 0; came < all.length; before = came) {
      await nextTurn();
      most = Math.max(most, came - before);
    }
    await ended;
    assert.equal(most, 64);
  });

  it('comes to one who is asked for within a look', async () => {
    const inner: Promise<string>[] = [];
    await inLine(asking('10.0.0.1'), () => {
      inner.push(inLine(asking('10.0.0.1'), () => 'inner'));
    });
    assert.equal(await inner[0], 'inner');
  });

  it('comes to nothing for one who has gone, and to an error as it throws one', async () => {
    const goes = asking('10.0.0.1');
    let came = 0;
    const turn = inLine(goes, () => came++);
    const fails = inLine(asking('10.0.0.1'), () => assert.fail('as it is'));
    goes.go();
    await assert.rejects(turn, { code: 'unavailable' });
    await assert.rejects(fails, /as it is/);
    assert.equal(came, 0);
    assert(hasRoom());
  });

  it('is refused to the newest of a network that has more than its share, where very many stand in line', async () => {
    looked(11);
    const before = standing.refused;
    const one = inLine(asking('10.0.0.2'), () => 'one');
    const refused: unknown[] = [];
    const many = Array.from({ length: 16 * 1024 + 10 }, () =>
      inLine(asking('10.0.0.1'), () => undefined).catch((error) => refused.push(error)),
    );
    assert.equal(standing.size, 16 * 1024);
    const late = inLine(asking('10.0.0.3'), () => 'late');
    await Promise.all(many);
    assert.deepEqual([await one, await late], ['one', 'late']);
    assert.equal(refused.length, 12);
    assert.equal(standing.refused - before, 12);
    assert.deepEqual({ ...(refused[0] as object) }, { code: 'busy', name: 'ProconsulError' });
  });

  it('is counted for whoever looks by himself, once, and what he looks up within it with it', async () => {
    const clock = new FakeClock();
    const look = (ms: number) =>
      inRoom(asking('10.0.0.1'), clock, () => {
        void clock.stall(ms);
        looked(ms - 1);
        return ms;
      });
    assert.equal(look(6), 6);
    assert.equal(lookedFor(), 6);
    assert.equal(look(5), 5);
    const later = look(1);
    assert(later instanceof Promise);
    assert.equal(await later, 1);
    const fails = () =>
      inRoom(asking('10.0.0.1'), clock, () => {
        void clock.stall(20);
        assert.fail('as it is');
      });
    while (!hasRoom()) await nextTurn();
    assert.throws(fails, /as it is/);
    assert(!hasRoom());
  });
});

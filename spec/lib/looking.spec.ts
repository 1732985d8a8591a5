import assert from 'node:assert/strict';
import { hasRoom, hasTime, looked, lookingTurn } from '../../lib/looking.ts';

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

  it('has some milliseconds of a turn, and as many of the next', async () => {
    looked(9);
    assert(hasRoom());
    looked(9);
    assert(!hasRoom() && !hasTime());
    await nextTurn();
    await nextTurn();
    assert(hasRoom() && hasTime());
  });

  it('comes by one look in a turn to those who wait, of each network in turn', async () => {
    const order: string[] = [];
    const ask = (who: string, address: string) =>
      lookingTurn(asking(address)).then(() => {
        order.push(who);
        looked(60);
      });
    const all = [
      ...Array.from({ length: 20 }, (_, n) => ask('many', `2001:db8::${n + 1}`)),
      ask('one', '10.0.0.1'),
      ask('one', '10.0.0.1'),
    ];
    assert(!hasRoom(), 'those who wait come first');
    let most = 0;
    for (let before = 0; order.length < all.length; before = order.length) {
      await nextTurn();
      most = Math.max(most, order.length - before);
    }
    await Promise.all(all);
    assert.equal(most, 1);
    assert(order.lastIndexOf('one') <= 4, order.join(' '));
  });

  it('is waited for by nobody who has gone', async () => {
    const [goes, stays] = [asking('10.0.0.1'), asking('10.0.0.1')];
    const turns = [lookingTurn(goes), lookingTurn(stays)];
    goes.go();
    await assert.rejects(turns[0] as Promise<void>, { code: 'unavailable' });
    await turns[1];
    stays.go();
    assert(hasRoom() || !hasTime());
  });
});

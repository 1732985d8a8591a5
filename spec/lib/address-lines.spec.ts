import assert from 'node:assert/strict';
import { AddressLines } from '../../lib/address-lines.ts';

/** Some things that are asked for, each of which ends when it is told to. */
function start(most = 3) {
  const lines = new AddressLines(most);
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const ask = (what: string, remoteAddress = 'a', signal = new AbortController().signal) =>
    lines.run({ remoteAddress, signal }, async () => {
      begun.push(what);
      await new Promise<void>((resolve) => ends.push(resolve));
      return what;
    });
  const endNext = async () => {
    ends.shift()?.();
    // The next begins in a turn of its own.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  return { lines, begun, ask, endNext };
}

describe('what is asked for from one address', () => {
  it('is done one after the other, and that of others beside it', async () => {
    const { begun, ask, endNext } = start();
    const all = [ask('1'), ask('2'), ask('3'), ask('other', 'b')];
    assert.deepEqual(begun, ['1', 'other']);
    await endNext();
    assert.deepEqual(begun, ['1', 'other', '2']);
    for (let n = 0; n < 3; n++) await endNext();
    assert.deepEqual(await Promise.all(all), ['1', '2', '3', 'other']);
  });

  it('is of one network of IPv6, whatever address it comes from', async () => {
    const { begun, ask, endNext } = start();
    const all = [ask('1', '2001:db8::1'), ask('2', '2001:db8::2')];
    assert.deepEqual(begun, ['1']);
    for (let n = 0; n < 2; n++) await endNext();
    assert.deepEqual(await Promise.all(all), ['1', '2']);
  });

  it('is refused beyond so many that wait, to nobody else', async () => {
    const { ask, endNext } = start();
    const all = [ask('1'), ask('2'), ask('3'), ask('4')];
    await assert.rejects(ask('5'), { code: 'busy' });
    all.push(ask('other', 'b'));
    for (let n = 0; n < 5; n++) await endNext();
    assert.deepEqual(await Promise.all(all), ['1', '2', '3', '4', 'other']);
  });

  it('leaves the line as he goes who asked, before it has begun', async () => {
    const { begun, ask, endNext } = start(1);
    const first = ask('1');
    const client = new AbortController();
    const gone = ask('gone', 'a', client.signal);
    await assert.rejects(ask('full'), { code: 'busy' });
    client.abort();
    await assert.rejects(gone, { code: 'unavailable' });
    await assert.rejects(ask('never', 'a', client.signal), { code: 'unavailable' });
    const next = ask('2');
    await endNext();
    await endNext();
    assert.deepEqual([await first, await next, begun], ['1', '2', ['1', '2']]);
  });

  it('goes on after what failed', async () => {
    const { lines, ask, endNext } = start();
    const { signal } = new AbortController();
    const bad = lines.run({ remoteAddress: 'a', signal }, () => Promise.reject(new Error('bad')));
    const next = ask('2');
    await assert.rejects(bad, /bad/);
    await endNext();
    await endNext();
    assert.equal(await next, '2');
  });
});

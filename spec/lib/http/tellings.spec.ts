import assert from 'node:assert/strict';
import { ProconsulError } from '../../../lib/errors.ts';
import { anyone, needs, type Right } from '../../../lib/http/right.ts';
import type { HttpRequest } from '../../../lib/http/route.ts';
import { Tellings } from '../../../lib/http/tellings.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

describe('what is told as it changes', () => {
  function start() {
    const clock = new FakeClock();
    const tellings = new Tellings(clock);
    const shown = { value: 1, may: true, stands: true, busy: false, looks: 0 };
    const open = async (
      right: Right = anyone,
      { isForAll = false, remoteAddress = '10.0.0.1' } = {},
    ) => {
      const client = new AbortController();
      const caller = {
        stands: () => shown.stands,
        rights: { all: false, may: () => shown.may },
      };
      const { signal } = client;
      const asked = { signal, caller, callerNow: async () => caller, rest: '', remoteAddress };
      const request = asked as unknown as HttpRequest;
      const look = () => {
        shown.looks++;
        if (shown.busy) throw new ProconsulError('busy', 'busy');
        return { value: shown.value };
      };
      const { stream } = await tellings.open(request, { right, look, isForAll });
      assert.ok(stream);
      const lines = stream[Symbol.asyncIterator]();
      return { client, next: async () => (await lines.next()).value as string | undefined };
    };
    /** Until it looks again, then once. */
    const looks = async () => {
      await clock.untilArmed();
      await clock.advance(1000);
    };
    return { clock, shown, open, looks };
  }

  it('is a line at once, and another where it is another', async () => {
    const { shown, open, looks } = start();
    const { next } = await open();
    assert.equal(await next(), '{"value":1}\n');
    const second = next();
    await looks();
    shown.value = 2;
    await looks();
    assert.equal(await second, '{"value":2}\n');
  });

  it('is an empty line where it has been the same for ten seconds', async () => {
    const { open, looks } = start();
    const { next } = await open();
    await next();
    let line: string | undefined;
    const second = next().then((said) => {
      line = said;
    });
    for (let i = 0; i < 9; i++) await looks();
    assert.equal(line, undefined);
    await looks();
    await second;
    assert.equal(line, '\n');
  });

  it('goes on where it could not be looked at for once, for others wanted too much', async () => {
    const { shown, open, looks } = start();
    const { next } = await open();
    await next();
    const second = next();
    Object.assign(shown, { busy: true, value: 2 });
    await looks();
    shown.busy = false;
    await looks();
    assert.equal(await second, '{"value":2}\n');
    shown.busy = true;
    await assert.rejects(open(), { code: 'busy' });
  });

  it('ends once it may not be told any more', async () => {
    const { shown, open, looks } = start();
    const { next } = await open(needs('operator:read'));
    await next();
    shown.stands = false;
    const second = next();
    await looks();
    shown.value = 2;
    await looks();
    assert.equal(await second, '{"value":2}\n');
    shown.may = false;
    const third = next();
    shown.value = 3;
    await looks();
    assert.equal(await third, undefined);
  });

  it('has room for 64 of one address, and has it again once one has gone, though he never read', async () => {
    const { clock, open } = start();
    const all = [];
    for (let i = 0; i < 64; i++) all.push(await open());
    await assert.rejects(open(), { code: 'busy' });
    await open(anyone, { remoteAddress: '10.0.0.2' });
    const [never, reads] = all;
    never?.client.abort();
    await open();
    await reads?.next();
    const waiting = reads?.next();
    await clock.untilArmed();
    reads?.client.abort();
    assert.equal(await waiting, undefined);
    await open();
    await assert.rejects(open(), { code: 'busy' });
  });

  it('has room for 64 of one network of IPv6, from whatever addresses', async () => {
    const { open } = start();
    for (let i = 1; i <= 64; i++) await open(anyone, { remoteAddress: `2001:db8::${i}` });
    await assert.rejects(open(anyone, { remoteAddress: '2001:db8::ffff' }), { code: 'busy' });
    await open(anyone, { remoteAddress: '2001:db8:0:1::1' });
  });

  it('is made once for all who look at one time, where it is the same for each', async () => {
    const { shown, open, looks } = start();
    const all = [];
    for (let i = 0; i < 5; i++) all.push(await open(anyone, { isForAll: true }));
    for (const { next } of all) assert.equal(await next(), '{"value":1}\n');
    assert.equal(shown.looks, 1);
    shown.value = 2;
    const second = all.map(({ next }) => next());
    await looks();
    for (const line of await Promise.all(second)) assert.equal(line, '{"value":2}\n');
    assert.equal(shown.looks, 2);
  });
});

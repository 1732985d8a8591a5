/** What every store of leases must hold to. Each one's own spec runs this with a rig of its own. */
import assert from 'node:assert/strict';
import type { Leases } from '../../server/leases.ts';

export interface LeasesRig {
  readonly leases: Leases;
  /** Lets so much time go by, in which nobody asks for anything. */
  pass(ms: number): Promise<void>;
}

const TICK_MS = 500;
/** A store with a clock of its own goes on a little by itself. */
const SLACK_MS = 900;

export function describeLeases(name: string, newRig: () => Promise<LeasesRig>): void {
  describe(`${name}: the contract of leases`, () => {
    async function start() {
      const { leases, pass } = await newRig();
      await leases.expired();
      /** As long as the keeper asks every half second. */
      const listen = async (ms: number) => {
        const ended = new Set<string>();
        for (let passed = 0; passed < ms; passed += TICK_MS) {
          await pass(Math.min(TICK_MS, ms - passed));
          for (const id of (await leases.expired()).ids) ended.add(id);
        }
        return [...ended].sort();
      };
      const isLeft = async (id: string, ms: number) => {
        const left = (await leases.left(id)) ?? -1;
        assert(left <= ms && left > ms - SLACK_MS, `${left} ms are left, not ${ms}`);
        assert(Math.abs(left - ((await leases.remaining()).get(id) ?? -1)) < SLACK_MS);
      };
      return { leases, pass, listen, isLeft };
    }

    it('end when their time has passed, and not before', async () => {
      const { leases, listen, isLeft } = await start();
      await leases.renew('short', 10_000);
      await leases.renew('long', 60_000);
      assert.deepEqual(await listen(9000), []);
      await isLeft('short', 1000);
      assert.deepEqual(await listen(1000), ['short']);
      await isLeft('long', 50_000);
    });

    it('are said to end next in about as long as the soonest of them has left', async () => {
      const { leases, pass } = await start();
      const { nextMs: none } = await leases.expired();
      assert.equal(none, Number.POSITIVE_INFINITY);
      await leases.renew('late', 60_000);
      await leases.renew('soon', 1000);
      const { nextMs } = await leases.expired();
      assert(nextMs <= 1000 && nextMs > 1000 - SLACK_MS, `${nextMs}`);
      await pass(1000);
      const after = await leases.expired();
      assert.deepEqual(after.ids, ['soon']);
      assert(after.nextMs <= 59_000 && after.nextMs > 59_000 - SLACK_MS, `${after.nextMs}`);
    });

    it('have their time from the last renewal on, and as much as that says', async () => {
      const { leases, listen, isLeft } = await start();
      await leases.renew('a', 10_000);
      await listen(9000);
      await leases.renew('a', 20_000);
      assert.deepEqual(await listen(19_000), []);
      await leases.renew('a', 5000);
      await isLeft('a', 5000);
    });

    it('stay ended until they are renewed or dropped', async () => {
      const { leases, listen } = await start();
      for (const id of ['a', 'b']) await leases.renew(id, 1000);
      assert.deepEqual(await listen(2000), ['a', 'b']);
      assert.deepEqual(await leases.left('a'), 0);
      await leases.drop('a');
      await leases.renew('b', 10_000);
      assert.deepEqual(await listen(1000), []);
      assert.equal(await leases.left('a'), undefined);
      assert.deepEqual([...(await leases.remaining()).keys()], ['b']);
    });

    it('may be dropped without being there', async () => {
      const { leases } = await start();
      await leases.drop('none');
      assert.equal(await leases.left('none'), undefined);
    });

    it('are of any name', async () => {
      const { leases } = await start();
      const names = ['', ' ', '__proto__', 'a b', 'é\u2028', '5', 'x'.repeat(500)];
      for (const each of names) await leases.renew(each, 60_000);
      assert.deepEqual([...(await leases.remaining()).keys()].sort(), [...names].sort());
    });

    it('run out for whoever looks while no keeper asks: a leader that is gone leads no more', async () => {
      const { leases, pass } = await start();
      await leases.renew('leader', 2000);
      await pass(2000);
      assert.equal(await leases.left('leader'), 0);
    });

    for (const silentMs of [2000, 8000, 25_000, 3_600_000]) {
      it(`do not end for the ${silentMs / 1000} s in which the keeper was silent`, async () => {
        const { leases, pass, listen, isLeft } = await start();
        await leases.renew('agent', 6000);
        await listen(3000);
        await pass(silentMs);
        const { ids, unheardMs } = await leases.expired();
        assert.deepEqual(ids, []);
        assert(unheardMs >= silentMs && unheardMs < silentMs + SLACK_MS);
        await isLeft('agent', 6000);
        assert.deepEqual(await listen(5000), []);
        assert.deepEqual(await listen(1000), ['agent']);
      });
    }

    it('have their time, and no more, where they are renewed in the silence', async () => {
      const { leases, pass, listen, isLeft } = await start();
      await leases.renew('before', 20_000);
      await pass(3_600_000);
      // The beats that came in meanwhile are taken before the keeper looks.
      await leases.renew('meanwhile', 20_000);
      await leases.expired();
      for (const id of ['before', 'meanwhile']) await isLeft(id, 20_000);
      assert.deepEqual(await listen(20_000), ['before', 'meanwhile']);
    });

    it('count all time in which the keeper asks often enough', async () => {
      const { leases, pass } = await start();
      await leases.renew('a', 60_000);
      for (let i = 0; i < 10; i++) {
        await pass(1000);
        assert.equal((await leases.expired()).unheardMs, 0);
      }
    });

    it('do not begin anew after a silence when they are long, but have 15 s at least', async () => {
      const { leases, pass, listen, isLeft } = await start();
      await leases.renew('early', 60_000);
      await listen(20_000);
      await leases.renew('late', 60_000);
      await listen(30_000);
      await pass(100_000);
      await leases.expired();
      await isLeft('late', 30_000);
      await isLeft('early', 15_000);
    });

    it('have their grace when the keeper says so', async () => {
      const { leases, listen, isLeft } = await start();
      await leases.renew('short', 6000);
      await leases.renew('long', 60_000);
      await listen(5000);
      await leases.grace();
      await isLeft('short', 6000);
      await isLeft('long', 55_000);
    });

    it('end all the same under a keeper that falls silent again and again', async () => {
      const { leases, pass } = await start();
      await leases.renew('dead', 6000);
      const ended = new Set<string>();
      for (let i = 0; i < 20; i++) {
        await pass(2000);
        for (const id of (await leases.expired()).ids) ended.add(id);
      }
      assert.deepEqual([...ended], ['dead']);
    });
  });
}

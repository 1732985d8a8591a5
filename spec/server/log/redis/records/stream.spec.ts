import assert from 'node:assert/strict';
import { keysOf } from '../../../../../server/log/redis/link/keys.ts';
import type { EpochLink } from '../../../../../server/log/redis/records/check-in.ts';
import { followTail } from '../../../../../server/log/redis/records/stream.ts';

describe('followTail', () => {
  const keys = keysOf('dc1');
  const ring = (id: string) => [[keys.bell, [[id, ['r', '1']]]]];

  /** What it asks for, of a Redis that answers so, and then has gone. */
  async function followed(replies: readonly unknown[], onRound?: (round: number) => void) {
    const asked: unknown[] = [];
    const left = [...replies];
    const call = async (_: string, args: readonly unknown[]) => {
      asked.push(args.slice(args.indexOf('STREAMS') + 1));
      if (left.length === 0) throw new Error('gone');
      return left.shift();
    };
    const history = {
      position: { index: 4 },
      follow: (entries: readonly unknown[]) => entries.length,
    };
    const epochLink = { link: { tail: { call }, keys }, epoch: 3 } as unknown as EpochLink;
    const on = { onApplied: () => undefined, onRound };
    await assert.rejects(followTail(epochLink, history, on), /gone/);
    return asked;
  }

  it('hears of a round as of an entry, and of each once', async () => {
    const rounds: number[] = [];
    const asked = await followed([null, ring('3-7')], (round) => rounds.push(round));
    assert.deepEqual(rounds, [7]);
    assert.deepEqual(asked, [
      [keys.log, keys.bell, '4-0', '3-0'],
      [keys.log, keys.bell, '4-0', '3-0'],
      [keys.log, keys.bell, '4-0', '3-7'],
    ]);
  });

  // A server of an older version begins an epoch and leaves what was rung before, or somebody writes there.
  for (const id of ['2-900', '4-1', '900-0', '18446744073709551615-1', 'x']) {
    it(`hears no round in ${id} in epoch 3, and does not ask for that again at once`, async () => {
      const rounds: number[] = [];
      const replies = [ring(id), null, ring(id), null, ring('3-7')];
      const asked = await followed(replies, (round) => rounds.push(round));
      assert.deepEqual(rounds, [7]);
      const both = [keys.log, keys.bell, '4-0', '3-0'];
      const alone = [keys.log, '4-0'];
      assert.deepEqual(asked, [both, alone, both, alone, both, [...both.slice(0, 3), '3-7']]);
    });
  }

  it('waits for entries alone where nobody votes', async () => {
    assert.deepEqual(await followed([]), [[keys.log, '4-0']]);
  });
});

import assert from 'node:assert/strict';
import { keysOf } from '../../../../../server/log/redis/link/keys.ts';
import type { Link } from '../../../../../server/log/redis/link/link.ts';
import { followTail } from '../../../../../server/log/redis/records/stream.ts';

describe('followTail', () => {
  const keys = keysOf('dc1');

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
    const link = { tail: { call }, keys } as unknown as Link;
    const on = { onApplied: () => undefined, onRound };
    await assert.rejects(followTail(link, history, on), /gone/);
    return asked;
  }

  it('hears of a round as of an entry, and of each once', async () => {
    const rounds: number[] = [];
    const ring = [[keys.bell, [['7-0', ['r', '1']]]]];
    const asked = await followed([null, ring], (round) => rounds.push(round));
    assert.deepEqual(rounds, [7]);
    assert.deepEqual(asked, [
      [keys.log, keys.bell, '4-0', '0-0'],
      [keys.log, keys.bell, '4-0', '0-0'],
      [keys.log, keys.bell, '4-0', '7-0'],
    ]);
  });

  it('waits for entries alone where nobody votes', async () => {
    assert.deepEqual(await followed([]), [[keys.log, '4-0']]);
  });
});

import assert from 'node:assert/strict';
import type { LogAccount } from '../../../lib/log-account.ts';
import type { EventLog } from '../../../server/log/event-log.ts';
import { HeldLog } from '../../support/fakes/held-log.ts';
import { startServer } from '../../support/servers/start-server.ts';

const PATH = '/v1/operator/log';

/** Tells that instead of its own. */
class TellingLog extends HeldLog {
  readonly #told: LogAccount;

  constructor(log: EventLog, told: LogAccount) {
    super(log);
    this.#told = told;
  }

  override async account(): Promise<LogAccount> {
    return this.#told;
  }
}

const REDIS: LogAccount = {
  kind: 'redis',
  isSealed: true,
  epoch: 8,
  redis: {
    address: '10.0.0.9:6379',
    version: '7.0.15',
    commit: 'quorum',
    appendOnly: true,
    now: {
      upMs: 61_000,
      usedBytes: 1024,
      mostBytes: 0,
      isSaved: false,
      replicas: [{ address: '10.0.0.8:6379', isOnline: true, behindBytes: 7, silentMs: 1000 }],
    },
    finds: [
      { at: 0, address: '10.0.0.9:6379', epoch: 8, before: 7, awayMs: 1200, putBack: 2, lost: 1 },
      {
        at: 0,
        address: '10.0.0.8:6379',
        epoch: 7,
        before: undefined,
        awayMs: 0,
        putBack: 0,
        lost: 0,
      },
    ],
  },
};

describe(`GET ${PATH}`, () => {
  it('says how a log of its own stands', async () => {
    const { get, put } = await startServer();
    await put('/v1/kv/a', 'b');
    const { json } = await get(PATH);
    const { Index, ...rest } = json as { Index: number };
    assert.ok(Index > 0);
    assert.deepEqual(rest, {
      Node: 'n1',
      Kind: 'memory',
      Sealed: false,
      Writable: true,
      LastContact: '0s',
      Epoch: 1,
      ServersInTouch: 1,
      ServersNeeded: 1,
      Redis: null,
    });
  });

  it('says how Redis stands, and when which one was found', async () => {
    const { get } = await startServer(undefined, (log) => new TellingLog(log, REDIS));
    const { Kind, Sealed, Redis } = (await get(PATH)).json as Record<string, unknown>;
    assert.deepEqual([Kind, Sealed], ['redis', true]);
    const found = { Time: '1970-01-01T00:00:00.000Z' };
    assert.deepEqual(Redis, {
      Address: '10.0.0.9:6379',
      Version: '7.0.15',
      Commit: 'quorum',
      AppendOnly: true,
      State: {
        Up: '1m1s',
        UsedBytes: 1024,
        MostBytes: 0,
        Saved: false,
        Replicas: [{ Address: '10.0.0.8:6379', Online: true, BehindBytes: 7, LastContact: '1s' }],
      },
      Finds: [
        {
          ...{ ...found, Address: '10.0.0.9:6379', Epoch: 8, EpochBefore: 7 },
          ...{ Away: '1.2s', PutBack: 2, Lost: 1 },
        },
        {
          ...{ ...found, Address: '10.0.0.8:6379', Epoch: 7, EpochBefore: 0 },
          ...{ Away: '0s', PutBack: 0, Lost: 0 },
        },
      ],
    });
  });
});

/** GET /v1/operator/log: how the log stands, as the server that is asked has it. */

import type * as answers from '../../../lib/answers.ts';
import { formatDuration, NS_PER_MS } from '../../../lib/duration.ts';
import { needs } from '../../../lib/http/right.ts';
import type { Route } from '../../../lib/http/route.ts';
import { STREAM, Tellings } from '../../../lib/http/tellings.ts';
import type { Find, LogAccount, RedisAccount, RedisState } from '../../../lib/log-account.ts';
import type { ClusterDeps, LogDeps, PlaceDeps, ReadDeps, StateDeps } from '../deps.ts';

type Deps = LogDeps &
  PlaceDeps &
  Pick<ReadDeps, 'readiness'> &
  StateDeps &
  Pick<ClusterDeps, 'clock'>;

export function logRoutes(deps: Deps): Route[] {
  const tellings = new Tellings(deps.clock);
  const right = needs('operator:read');
  const look = async () => shown(deps, await deps.log.account());
  return [
    {
      method: 'GET',
      path: '/v1/operator/log',
      params: STREAM,
      right,
      does: "says how the log and its Redis stand, and what was repaired (Proconsul's own)",
      endless: 'stream',
      handle: async (request) =>
        request.params.has('stream')
          ? await tellings.open(request, { right, look, isForAll: true })
          : { json: await look() },
    },
  ];
}

function shown(deps: Deps, { kind, isSealed, epoch, redis }: LogAccount): answers.LogState {
  const { log, node, state, readiness } = deps;
  const { writable, lastContactMs } = log.status();
  const { seen, needed } = log.servers();
  return {
    Node: node,
    Kind: kind,
    Sealed: isSealed,
    Writable: writable,
    LastContact: duration(lastContactMs),
    // Before it has seen the whole of it once it shows nothing of what is in it.
    Index: readiness.begun ? state().position : 0,
    Epoch: epoch,
    // Of a log of its own a server is the only one.
    ServersInTouch: Math.max(1, seen.length),
    ServersNeeded: needed,
    Redis: redis === undefined ? null : redisShown(redis),
  };
}

function redisShown(redis: RedisAccount): answers.RedisState {
  const { address, version, commit, appendOnly, now, finds } = redis;
  return {
    Address: address,
    Version: version,
    Commit: commit,
    AppendOnly: appendOnly,
    State: now === undefined ? null : stateShown(now),
    Finds: finds.map(findShown),
  };
}

function stateShown(state: RedisState): answers.RedisFigures {
  const { upMs, usedBytes, mostBytes, isSaved, replicas } = state;
  return {
    Up: duration(upMs),
    UsedBytes: usedBytes,
    MostBytes: mostBytes,
    Saved: isSaved,
    Replicas: replicas.map(({ address, isOnline, behindBytes, silentMs }) => ({
      Address: address,
      Online: isOnline,
      BehindBytes: behindBytes,
      LastContact: duration(silentMs),
    })),
  };
}

function findShown(find: Find): answers.Find {
  const { at, address, epoch, before, awayMs, putBack, lost } = find;
  return {
    Time: new Date(at).toISOString(),
    Address: address,
    Epoch: epoch,
    // Epochs begin with 1.
    EpochBefore: before ?? 0,
    Away: duration(awayMs),
    PutBack: putBack,
    Lost: lost,
  };
}

/** Before the first look it is as long ago as a number goes. */
function duration(ms: number): string {
  return ms >= Number.MAX_SAFE_INTEGER ? 'never' : formatDuration(ms * NS_PER_MS);
}

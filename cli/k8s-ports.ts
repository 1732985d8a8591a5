/** What `k8s-sync` reaches the catalog and the API server by. */
import type { Catalog, CatalogRequest } from '../kubernetes/catalog.ts';
import type { TurnLock } from '../kubernetes/turns.ts';
import type { Clock } from '../lib/clock.ts';
import { encodeJson } from '../lib/json.ts';
import { patienceMs } from '../lib/patience.ts';
import { within } from '../lib/within.ts';
import type { ApiClient, ApiRequest } from './api-client.ts';
import { KeyLock } from './key-lock.ts';

/** Of what needs nothing but an answer. */
const ANSWER_MS = 10_000;
/** Of an answer that nobody says may be larger: somebody else wrote what is in it, and many are read at a time. */
const MAX_BYTES = 16 * 1024 * 1024;
/** More for one that may be larger: a server with much to do makes it in slices. */
const LARGE_MS = 50_000;

type Client = (signal: AbortSignal) => ApiClient;

/** Asked by a client of each question's own, so that a token that was renewed is taken from its file. */
export function catalogBy(client: Client, clock: Clock): Catalog {
  return {
    async ask(request, signal) {
      const waits = request.query?.some(([name]) => name === 'index') === true;
      const asking = (either: AbortSignal) => client(either).send(sentBy(request));
      const patience = waits ? patienceMs(request.query) : ANSWER_MS;
      const more = request.maxBytes === undefined ? 0 : LARGE_MS;
      return await within(clock, patience + more, signal, asking);
    },
  };
}

function sentBy(request: CatalogRequest): ApiRequest {
  const { method, path, query = [], body, accept, maxBytes = MAX_BYTES } = request;
  return {
    method,
    path,
    query,
    maxBytes,
    ...(accept !== undefined && { accept }),
    ...(body !== undefined && { body: encodeJson(body) }),
  };
}

export interface LockParts {
  readonly client: Client;
  readonly clock: Clock;
  readonly key: string;
  readonly signal: AbortSignal;
}

/** Its session ends when the check does: within the moments of its lease, and with no delay for the next one. */
export function turnLock(
  { client, clock, key, signal }: LockParts,
  { node, check }: { readonly node: string; readonly check: string },
): TurnLock {
  const lock = new KeyLock({
    key,
    behavior: { Node: node, NodeChecks: [], ServiceChecks: [{ ID: check }], LockDelay: '0s' },
    sessionName: 'Proconsul k8s-sync',
    monitorRetries: 3,
    clock,
    client,
    signal,
  });
  return {
    lost: lock.lost,
    get session() {
      return lock.session;
    },
    acquire: () => lock.acquire(0),
    release: () => lock.release(),
  };
}

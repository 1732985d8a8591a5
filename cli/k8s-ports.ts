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

type Client = (signal: AbortSignal) => ApiClient;

/** Asked by a client of each question's own, so that a token that was renewed is taken from its file. */
export function catalogBy(client: Client, clock: Clock): Catalog {
  return {
    async ask(request, signal) {
      const waits = request.query?.some(([name]) => name === 'index') === true;
      const asking = (either: AbortSignal) => client(either).send(sentBy(request));
      const patience = waits ? patienceMs(request.query) : ANSWER_MS;
      return await within(clock, patience, signal, asking);
    },
  };
}

function sentBy({ method, path, query = [], body, accept, maxBytes }: CatalogRequest): ApiRequest {
  return {
    method,
    path,
    query,
    ...(accept !== undefined && { accept }),
    ...(maxBytes !== undefined && { maxBytes }),
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

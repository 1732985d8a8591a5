/** What `k8s-sync` reaches the catalog and the API server by. */
import type { Catalog, CatalogRequest } from '../kubernetes/catalog.ts';
import type { TurnLock } from '../kubernetes/turns.ts';
import { afterSilence, type Clock } from '../lib/clock.ts';
import { heardFirst } from '../lib/heard-first.ts';
import { encodeJson } from '../lib/json.ts';
import { patienceMs } from '../lib/patience.ts';
import { within } from '../lib/within.ts';
import type { ApiAnswer, ApiClient, ApiRequest } from './api-client.ts';
import { KeyLock } from './key-lock.ts';

/** Of what needs nothing but an answer. A write that has none is doubtful, and then all of the node is read: not for less. */
const ANSWER_MS = 10_000;
/** Of an answer that nobody says may be larger: somebody else wrote what is in it, and many are read at a time. */
const MAX_BYTES = 16 * 1024 * 1024;
/** More for one that may be larger: a server with much to do makes it in slices. */
const LARGE_MS = 50_000;
/** Small questions that are asked beside silent ones: a server gives one address so many connections, and beats need theirs. */
const MAX_BESIDE = 16;

type Client = (signal: AbortSignal) => ApiClient;

/** Asked by a client of each question's own, so that a token that was renewed is taken from its file. */
export function catalogBy(client: Client, clock: Clock): Catalog {
  const servers = new Servers(client, clock);
  return {
    async ask(request, signal) {
      const moreMs = request.maxBytes === undefined ? 0 : LARGE_MS;
      return await servers.send(sentBy(request), signal, moreMs);
    },
  };
}

/**
 * Each request has a connection of its own, and may so come to another server. One that takes connections and never answers
 * costs seconds: what only asks is asked again beside it, and a write is sent once. What waits for a change is silent by
 * nature.
 */
class Servers {
  readonly #client: Client;
  readonly #clock: Clock;
  /** Small questions that are asked beside others. */
  #beside = 0;

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    // Who stood still himself, as one that reads a large node, has an answer that he has not read.
    const after: Clock['after'] = (ms, fn) => afterSilence(clock, ms, fn);
    this.#clock = { now: () => clock.now(), monotonic: () => clock.monotonic(), after };
  }

  async send(request: ApiRequest, signal: AbortSignal, moreMs = 0): Promise<ApiAnswer> {
    const { method, query } = request;
    const waits = query?.some(([name]) => name === 'index') === true;
    const isWrite = method === 'PUT' || method === 'DELETE';
    const patience = (waits ? patienceMs(query) : ANSWER_MS) + moreMs;
    return await within(this.#clock, patience, signal, (over) => {
      if (waits || isWrite) return this.#client(over).send(request);
      return this.#asked(request, over, moreMs > 0);
    });
  }

  #asked(request: ApiRequest, signal: AbortSignal, isLarge: boolean): Promise<ApiAnswer> {
    let count = 0;
    const ask = async (over: AbortSignal, heard: () => void) => {
      const beside = !isLarge && count++ > 0 ? 1 : 0;
      this.#beside += beside;
      // Whoever only says that it cannot answer is no better than one that has not answered yet.
      let isTaken = false;
      const onBegun = () => {
        isTaken = true;
        heard();
      };
      const onReceived = () => {
        if (isTaken) heard();
      };
      try {
        return await this.#client(over).send({ ...request, onBegun, onReceived });
      } finally {
        this.#beside -= beside;
      }
    };
    const mayAsk = () => isLarge || this.#beside < MAX_BESIDE;
    return heardFirst({ clock: this.#clock, signal, ask, mayAsk });
  }
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
  const servers = new Servers(client, clock);
  const lock = new KeyLock({
    key,
    behavior: { Node: node, NodeChecks: [], ServiceChecks: [{ ID: check }], LockDelay: '0s' },
    sessionName: 'Proconsul k8s-sync',
    monitorRetries: 3,
    clock,
    client: (over) => ({ ...client(over), send: (request) => servers.send(request, over) }),
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

/**
 * Who the master is: found by asking, each kind of set-up in its own way, and heard from the
 * sentinels when it changes. Their word is a hint: what counts is what a process says of itself.
 */
import { Redis } from 'ioredis';
import type { Clock } from '../../../../lib/clock.ts';
import { ProconsulError } from '../../../../lib/errors.ts';
import { Connection, hearAllErrors, type Login, tlsOptions } from './connection.ts';
import type { Keys } from './keys.ts';
import { type Address, type RedisOptions, type RedisTls, sameAddress } from './options.ts';

export interface FinderDeps {
  readonly options: RedisOptions;
  readonly keys: Keys;
  readonly clock: Clock;
}

/**
 * Candidates, the likeliest first; whoever connects tries them in turn and takes the first that says
 * it is a master.
 */
export async function findMasters(deps: FinderDeps): Promise<Address[]> {
  switch (deps.options.kind) {
    case 'single':
      return [...deps.options.addresses];
    case 'sentinel':
      return await askSentinels(deps);
    case 'cluster':
      return await askCluster(deps);
  }
}

export function redisLogin({ username, password, db, tls }: RedisOptions): Login {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(db === 0 ? {} : { db }),
    ...(tls === undefined ? {} : { tls }),
  };
}

function sentinelLogin({ sentinelUsername, sentinelPassword, tls }: RedisOptions): Login {
  return {
    ...(sentinelUsername === undefined ? {} : { username: sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
    ...(tls === undefined ? {} : { tls }),
  };
}

/** All are asked, since any may be down, or not know of a failover yet: the majority counts. */
async function askSentinels({ options, clock }: FinderDeps): Promise<Address[]> {
  const answers = await Promise.allSettled(
    options.addresses.map((sentinel) => askSentinel(sentinel, options, clock)),
  );
  const votes: { readonly address: Address; count: number }[] = [];
  for (const answer of answers) {
    if (answer.status === 'rejected') continue;
    const known = votes.find(({ address }) => sameAddress(address, answer.value));
    if (known === undefined) votes.push({ address: answer.value, count: 1 });
    else known.count++;
  }
  if (votes.length === 0) {
    const refused = answers.find((answer) => answer.status === 'rejected');
    throw unreachable('no sentinel knows a master', refused?.reason);
  }
  votes.sort((a, b) => b.count - a.count);
  return votes.map(({ address }) => address);
}

/** A sentinel answers in a millisecond; a frozen one must not hold up a failover. */
const SENTINEL_TIMEOUT_MS = 300;

async function askSentinel(at: Address, options: RedisOptions, clock: Clock): Promise<Address> {
  return await withConnection(at, sentinelLogin(options), clock, async (sentinel) => {
    const args = ['get-master-addr-by-name', options.masterName];
    const [host, port] = ((await sentinel.call('SENTINEL', args)) ?? []) as string[];
    if (host === undefined || port === undefined) {
      throw new ProconsulError('unavailable', `the sentinel knows no ${options.masterName}`);
    }
    return { host, port: Number(port) };
  });
}

/** [first slot, last slot, [host, port, …] of the master, its replicas …] */
type SlotRange = readonly [number, number, readonly [string, number], ...unknown[]];

/**
 * The log lies on one slot, so it needs one node's connection and none of the redirections and
 * resendings of a cluster client: a MOVED ends the link, and the next one asks again.
 */
async function askCluster({ options, keys, clock }: FinderDeps): Promise<Address[]> {
  let cause: unknown;
  for (const seed of options.addresses) {
    try {
      return await withConnection(seed, redisLogin(options), clock, async (node) => {
        const slot = Number(await node.call('CLUSTER', ['KEYSLOT', keys.log]));
        const ranges = (await node.call('CLUSTER', ['SLOTS'])) as SlotRange[];
        const range = ranges.find(([first, last]) => first <= slot && slot <= last);
        if (range === undefined) throw new ProconsulError('unavailable', 'nobody serves the slot');
        // An empty host means the one that was asked.
        return [{ host: range[2][0] || seed.host, port: Number(range[2][1]) }];
      });
    } catch (error) {
      cause = error;
    }
  }
  throw unreachable('no node of the cluster answers', cause);
}

/** A refused login or certificate stays what it is: no other try will do better. */
export function unreachable(message: string, cause: unknown): ProconsulError {
  if (cause instanceof ProconsulError && cause.code === 'invalid') return cause;
  return new ProconsulError('unavailable', message, { cause });
}

async function withConnection<T>(
  address: Address,
  login: Login,
  clock: Clock,
  ask: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await Connection.open(address, login, {
    clock,
    timeoutMs: SENTINEL_TIMEOUT_MS,
  });
  try {
    return await ask(connection);
  } finally {
    connection.close();
  }
}

const RESUBSCRIBE_MS = 500;
/**
 * `+promoted-slave` comes first: the sentinel that leads a failover says `+switch-master` only at
 * its end. Both name the new master.
 */
const SWITCHED = ['+promoted-slave', '+switch-master'];
/** A replica was told to become the master; the sentinel itself looks only a second later. */
const PROMISED = '+failover-state-wait-promotion';
/** slave <name> <host> <port> @ <master> <its host> <its port> */
const REPLICA = /^slave \S+ (\S+) (\d+) @ (\S+) /;
/** <master> <old host> <old port> <new host> <new port> */
const SWITCH = /^(\S+) \S+ \d+ (\S+) (\d+)$/;

export interface FailoverEvents {
  /** There is a new master. */
  readonly onMaster: (address: Address) => void;
  /** A replica is about to become the master; a planned failover may yet be called off. */
  readonly onPromise: (address: Address) => void;
  /** A sentinel was silent for a while: something may have been missed. */
  readonly onSilence: () => void;
}

/**
 * Hears from the sentinels that the master changes. The old master goes on taking writes for up to
 * 10 s after a planned failover, and all of them are lost with it: nobody else tells us.
 */
export class FailoverWatch {
  readonly #clients: Redis[] = [];
  readonly #options: RedisOptions;
  readonly #events: FailoverEvents;

  constructor(options: RedisOptions, events: FailoverEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** Watches nothing where there are no sentinels. */
  start(): void {
    if (this.#options.kind !== 'sentinel') return;
    const { tls: _, ...login } = sentinelLogin(this.#options);
    for (const { host, port } of this.#options.addresses) {
      const client: Redis = new Redis({
        host,
        port,
        ...login,
        ...this.#tlsTo(host),
        protocol: 2,
        enableReadyCheck: false,
        disableClientInfo: true,
        retryStrategy: () => {
          // The certificates may have changed since the last connection.
          Object.assign(client.options, this.#tlsTo(host));
          return RESUBSCRIBE_MS;
        },
        maxRetriesPerRequest: 0,
        keepAlive: 5000,
      });
      client.on('error', () => undefined);
      hearAllErrors(client);
      client.on('message', (channel, text) => this.#hear(channel, text));
      let first = true;
      client.on('ready', () => {
        const missed = !first;
        first = false;
        // A lost connection fails this too, and then 'ready' comes again.
        client.subscribe(PROMISED, ...SWITCHED).then(
          () => missed && this.#events.onSilence(),
          () => undefined,
        );
      });
      this.#clients.push(client);
    }
  }

  #tlsTo(host: string): { readonly tls?: RedisTls } {
    const { tls } = this.#options;
    return tls === undefined ? {} : { tls: tlsOptions(tls, host) };
  }

  #hear(channel: string, text: string): void {
    const named = REPLICA.exec(text)?.slice(1);
    const [host, port, master] = named ?? rotate(SWITCH.exec(text)?.slice(1) ?? []);
    if (host === undefined || master !== this.#options.masterName) return;
    const address = { host, port: Number(port) };
    if (channel === PROMISED) this.#events.onPromise(address);
    else this.#events.onMaster(address);
  }

  stop(): void {
    for (const client of this.#clients.splice(0)) {
      client.stream?.destroy();
      client.disconnect();
    }
  }
}

/** The first comes last. */
function rotate([first, ...rest]: string[]): (string | undefined)[] {
  return [...rest, first];
}

/**
 * Hears from the sentinels that the master changes. The old master goes on taking writes for up to
 * 10 s after a planned failover, and all of them are lost with it: nobody else tells us.
 */
import { Redis } from 'ioredis';
import { tlsOptions } from './connection.ts';
import { sentinelLogin } from './finder.ts';
import type { Address, RedisOptions } from './options.ts';

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
    const login = sentinelLogin(this.#options);
    for (const { host, port } of this.#options.addresses) {
      const client = new Redis({
        host,
        port,
        ...(login.username === undefined ? {} : { username: login.username }),
        ...(login.password === undefined ? {} : { password: login.password }),
        ...(login.tls === undefined ? {} : { tls: tlsOptions(login.tls, host) }),
        protocol: 2,
        enableReadyCheck: false,
        disableClientInfo: true,
        retryStrategy: () => RESUBSCRIBE_MS,
        maxRetriesPerRequest: 0,
        keepAlive: 5000,
      });
      client.on('error', () => undefined);
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

/**
 * Hears from the sentinels that the master changes. The old master goes on taking writes for up to
 * 10 s after a planned failover, and all of them are lost with it: nobody else tells us.
 */
import { Redis } from 'ioredis';
import { sentinelLogin } from './finder.ts';
import type { RedisOptions } from './options.ts';

const RESUBSCRIBE_MS = 500;
/** From the promotion on; the sentinel that leads a failover says +switch-master only at its end. */
const CHANNELS = ['+promoted-slave', '+switch-master', '+config-update-from'];

export class FailoverWatch {
  readonly #clients: Redis[] = [];
  readonly #options: RedisOptions;
  readonly #onSwitch: () => void;

  /** `onSwitch` is called whenever the master may have changed, also after a sentinel was silent. */
  constructor(options: RedisOptions, onSwitch: () => void) {
    this.#options = options;
    this.#onSwitch = onSwitch;
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
        ...(login.tls === undefined ? {} : { tls: { servername: host, ...login.tls } }),
        protocol: 2,
        enableReadyCheck: false,
        disableClientInfo: true,
        retryStrategy: () => RESUBSCRIBE_MS,
        maxRetriesPerRequest: 0,
        keepAlive: 5000,
      });
      client.on('error', () => undefined);
      client.on('message', (_channel, text) => {
        if (text.split(' ').includes(this.#options.masterName)) this.#onSwitch();
      });
      let first = true;
      client.on('ready', () => {
        const missed = !first;
        first = false;
        // A lost connection fails this too, and then 'ready' comes again.
        client.subscribe(...CHANNELS).then(
          () => missed && this.#onSwitch(),
          () => undefined,
        );
      });
      this.#clients.push(client);
    }
  }

  stop(): void {
    for (const client of this.#clients.splice(0)) {
      client.stream?.destroy();
      client.disconnect();
    }
  }
}

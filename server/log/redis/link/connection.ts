/**
 * One connection to one Redis process, used until its first failure and then thrown away. ioredis
 * would reconnect by itself and send again what was already executed, or leave promises pending;
 * here whoever lost a connection opens the next one and decides what is to be said again.
 */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { type RedisOptions as ClientOptions, Redis, ReplyError } from 'ioredis';
import { afterSilence, type Cancel, type Clock } from '../../../../lib/clock.ts';
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Sample } from '../../../../lib/metrics/sample.ts';
import { COMMAND_TIMEOUT_MS, CONNECT_TIMEOUT_MS } from './limits.ts';
import { type Address, describeAddress, type RedisTls } from './options.ts';

/** A Lua script with the name under which Redis caches it. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

export function defineScript(lua: string): Script {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

export type Argument = string | number | Buffer;

export interface Login {
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls?: RedisTls;
}

export interface ConnectionDeps {
  readonly clock: Clock;
  /** How long a command may stay unanswered. */
  readonly timeoutMs?: number;
  /** Told how long each answer took. */
  readonly roundTrips?: Sample;
}

export class Connection {
  readonly address: Address;
  readonly #client: Redis;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #roundTrips: Sample | undefined;
  readonly #onClose: (() => void)[] = [];
  #closed = false;

  private constructor(address: Address, login: Login, deps: ConnectionDeps) {
    const { clock, timeoutMs, roundTrips } = deps;
    this.address = address;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs ?? COMMAND_TIMEOUT_MS;
    this.#roundTrips = roundTrips;
    this.#client = new Redis(clientOptions(address, login));
    // Without a listener ioredis prints errors; whoever waits for a reply gets them anyway.
    this.#client.on('error', () => undefined);
    hearAllErrors(this.#client);
    this.#client.on('end', () => this.close());
  }

  /** Rejects 'unavailable' when there is no Redis, 'invalid' when it does not let us in. */
  static async open(address: Address, login: Login, deps: ConnectionDeps): Promise<Connection> {
    const connection = new Connection(address, login, deps);
    await connection.#connect();
    return connection;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Calls back once, at once when it is closed already. */
  onClose(fn: () => void): void {
    if (this.#closed) fn();
    else this.#onClose.push(fn);
  }

  /**
   * Rejects with a ProconsulError: 'unavailable' when the command was certainly not executed,
   * 'rejected' likewise, by a Redis that is the right one; 'unknown' when it may have been,
   * 'internal' when Redis answered with an error of another kind.
   * Redis's silence closes the connection: a frozen peer must not hold anybody up twice. A long
   * reply that is on its way is no silence.
   */
  async call(name: string, args: readonly Argument[]): Promise<unknown> {
    return await this.#ask(() => this.#client.call(name, ...args));
  }

  /** As `call`, with texts in the answer as bytes. */
  async callForBytes(name: string, args: readonly (string | number)[]): Promise<unknown> {
    return await this.#ask(() => this.#client.callBuffer(name, ...args));
  }

  async #ask<T>(send: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new ProconsulError('unavailable', 'the connection to Redis is closed');
    let cancel: Cancel = () => undefined;
    const silence = new Promise<never>((_, reject) => {
      const listen = (heard: number) => {
        cancel = afterSilence(this.#clock, this.#timeoutMs, () => {
          if (this.#heard > heard) return listen(this.#heard);
          reject(new ProconsulError('unknown', `Redis has not answered for ${this.#timeoutMs} ms`));
          this.close();
        });
      };
      listen(this.#heard);
    });
    const from = this.#clock.monotonic();
    try {
      const answer = await Promise.race([send(), silence]);
      this.#roundTrips?.observe(this.#clock.monotonic() - from);
      return answer;
    } catch (error) {
      throw toProconsulError(error);
    } finally {
      cancel();
    }
  }

  /** How much has come from Redis. What leaves says nothing: the kernel takes it for a frozen one too. */
  get #heard(): number {
    return this.#client.stream?.bytesRead ?? 0;
  }

  /** Runs a script by its name, and by its text where Redis does not know it (any more). */
  async run(
    { lua, sha }: Script,
    keys: readonly string[],
    args: readonly Argument[] = [],
  ): Promise<unknown> {
    try {
      return await this.call('EVALSHA', [sha, keys.length, ...keys, ...args]);
    } catch (error) {
      if (!(error instanceof ProconsulError) || !error.message.includes('NOSCRIPT')) throw error;
      return await this.call('EVAL', [lua, keys.length, ...keys, ...args]);
    }
  }

  /** What is under way is rejected. Safe to call twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // `disconnect` alone waits for the peer's goodbye, which a frozen one never says.
    this.#client.stream?.destroy();
    this.#client.disconnect();
    for (const fn of this.#onClose.splice(0)) fn();
  }

  async #connect(): Promise<void> {
    let cancel: Cancel = () => undefined;
    const late = new Promise<never>((_, reject) => {
      cancel = this.#clock.after(CONNECT_TIMEOUT_MS, () => reject(new Error('timed out')));
    });
    // The reason comes as an event only; the promise says just that the connection is closed.
    const failed = new Promise<never>((_, reject) => this.#client.once('error', reject));
    try {
      await Promise.race([this.#client.connect(), late, failed]);
    } catch (error) {
      this.close();
      const why = error instanceof Error ? redact(error.message) : 'unknown error';
      const where = describeAddress(this.address);
      const final = REFUSED_LOGIN.test(why) || isUntrusted(error);
      const code = final ? 'invalid' : 'unavailable';
      throw new ProconsulError(code, `connect to Redis at ${where}: ${why}`);
    } finally {
      cancel();
    }
  }
}

function clientOptions({ host, port }: Address, login: Login) {
  const { username, password, db, tls } = login;
  return {
    host,
    port,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(db === undefined ? {} : { db }),
    ...(tls === undefined ? {} : { tls: tlsOptions(tls, host) }),
    // The replies' shapes are the same for every server version, Valkey's included.
    protocol: 2,
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepAlive: 5000,
    enableOfflineQueue: false,
    // INFO is read by whoever opens a link, and is of no use on a sentinel.
    enableReadyCheck: false,
    disableClientInfo: true,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // One failure ends this connection: its owner opens the next.
    retryStrategy: null,
  } satisfies ClientOptions;
}

/** An address has no server name to send; the certificate is checked against it all the same. */
export function tlsOptions(tls: RedisTls, host: string): RedisTls {
  return isIP(host) === 0 ? { servername: host, ...tls } : tls;
}

/** Redis said so before it did anything, and another process may do better. */
const NOT_EXECUTED =
  /^(READONLY|NOAUTH|LOADING|MASTERDOWN|CLUSTERDOWN|MOVED|ASK|TRYAGAIN|NOSCRIPT|WRONGPASS)\b/;
/** Likewise, but this is the right process: it is full, cannot write its file, and so on. */
const REFUSED = /^(OOM|MISCONF|NOPERM|NOREPLICAS|BUSY)\b/;

/** ioredis hangs a command's arguments on its errors: values and tokens, which nobody may log. */
function toProconsulError(error: unknown): ProconsulError {
  if (error instanceof ProconsulError) return error;
  const message = error instanceof Error ? error.message : 'unknown error';
  if (error instanceof ReplyError || /^[A-Z]+ /.test(message)) return redisSaid(message);
  const sent = !message.startsWith("Stream isn't writeable");
  return new ProconsulError(sent ? 'unknown' : 'unavailable', 'the connection to Redis is lost');
}

/** Of an error in Redis's words, also where a script has taken it for an answer. */
export function redisSaid(message: string): ProconsulError {
  const refused = REFUSED.test(message) ? 'rejected' : 'internal';
  const code = NOT_EXECUTED.test(message) ? 'unavailable' : refused;
  return new ProconsulError(code, `Redis answered ${redact(message)}`);
}

/** No retry helps here. */
const REFUSED_LOGIN = /^(WRONGPASS|NOAUTH|NOPERM|ERR AUTH|ERR invalid password)\b/;

function isUntrusted(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^ERR_TLS_|CERT|UNABLE_TO_/.test(code);
}

const MAX_REASON_CHARS = 200;

function redact(message: string): string {
  return message.replace(/,? with args beginning.*$/s, '').slice(0, MAX_REASON_CHARS);
}

/**
 * ioredis hears a socket's first error alone. By TLS a certificate that Redis does not take makes two,
 * an alert and then a reset, and an error that nobody hears ends the process.
 */
export function hearAllErrors(client: Redis): void {
  client.on('connect', () => client.stream?.on('error', () => undefined));
}

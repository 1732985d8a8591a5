/** Tells the servers that this agent lives, and learns from their answers which servers there are. */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { describeChain } from '../../lib/errors.ts';
import { decodeJson, encodeJson } from '../../lib/json.ts';
import type { Logger } from '../../lib/logger.ts';
import { BEAT_PATH, type Beat, type BeatAnswer, DEFAULT_BEAT_MS } from '../../lib/membership.ts';
import { readAnswer } from './read-body.ts';
import type { ServerList } from './server-list.ts';
import type { Upstream } from './upstream.ts';

/** Much shorter than a lease: another server must still hear of this agent in time. */
const TIMEOUT_MS = 1500;
/** While no server answers; short, so that a server that is back knows of us within 2 s. */
const RETRY_MS = 500;
/** Every so many failures in a row those are asked anew that the user named. */
const LOST_AFTER = 20;
const MAX_BEAT_MS = 60_000;
const MAX_ANSWER_BYTES = 256 * 1024;

export interface HeartbeatOptions {
  readonly upstream: Upstream;
  readonly servers: ServerList;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly beat: () => Beat;
  readonly token: () => string;
  /** The servers' catalog has nothing of this agent. */
  readonly onUnknown: () => void;
  /** A server answers after none did. */
  readonly onBack: () => void;
  /** For some time no server has answered: they may have moved. */
  readonly onLost: () => void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #cancel: Cancel = () => undefined;
  #beating: Promise<void> | undefined;
  #heard = false;
  #failures = 0;
  #everyMs = DEFAULT_BEAT_MS;
  #stopped = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** By how much the servers stretch the time between beats, for the size of the cluster. */
  get scale(): number {
    return Math.max(1, this.#everyMs / DEFAULT_BEAT_MS);
  }

  start(): void {
    void this.beatNow();
  }

  /** Beats at once; resolves when that is over, whether a server heard it or not. */
  beatNow(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    this.#cancel();
    this.#beating ??= this.#beat().finally(() => {
      this.#beating = undefined;
      this.#schedule();
    });
    return this.#beating;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #schedule(): void {
    if (this.#stopped) return;
    const delay = this.#heard ? this.#everyMs : RETRY_MS;
    this.#cancel = this.#options.clock.after(delay, () => void this.beatNow());
  }

  async #beat(): Promise<void> {
    const { servers, logger, onUnknown, onBack, onLost } = this.#options;
    const before = this.#heard;
    if (servers.size === 0) {
      this.#heard = false;
      return;
    }
    try {
      const { Servers, Known, NextMs } = await this.#send();
      servers.replace(Servers);
      this.#heard = true;
      this.#failures = 0;
      this.#everyMs = Math.min(Math.max(NextMs, RETRY_MS), MAX_BEAT_MS);
      if (!before) logger.info(`agent: in touch with ${servers.size} servers`);
      if (!Known) onUnknown();
      else if (!before) onBack();
    } catch (error) {
      this.#heard = false;
      if (before) logger.warn(`agent: no server takes a sign of life: ${describeChain(error)}`);
      this.#failures++;
      if (this.#failures % LOST_AFTER === 0) onLost();
    }
  }

  async #send(): Promise<BeatAnswer> {
    const { upstream, beat, token } = this.#options;
    const body = beat();
    const response = await upstream.send({
      method: 'PUT',
      target: BEAT_PATH,
      key: `node:${body.Node}`,
      headers: token() === '' ? {} : { 'X-Consul-Token': token() },
      body: Buffer.from(encodeJson(body)),
      timeoutMs: TIMEOUT_MS,
      repeatable: true,
    });
    const text = (await readAnswer(response, MAX_ANSWER_BYTES)).toString();
    if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${text}`);
    return decodeJson(text) as BeatAnswer;
  }
}

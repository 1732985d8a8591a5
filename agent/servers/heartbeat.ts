/** Tells the servers that this agent lives, and learns from their answers which servers there are. */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { describeChain, hasCode } from '../../lib/errors.ts';
import { encodeJson } from '../../lib/json.ts';
import type { Logger } from '../../lib/logger.ts';
import { BEAT_PATH, type Beat, type BeatAnswer, DEFAULT_BEAT_MS } from '../../lib/membership.ts';
import { PLACE_HEADER, placeAnsweredIn } from '../../lib/place.ts';
import type { ServerAnswer } from './answer.ts';
import type { OwnPlace } from './own-place.ts';
import { readBeatAnswer } from './read-answers.ts';
import type { ServerList } from './server-list.ts';
import type { Upstream } from './upstream.ts';

/** Much shorter than a lease: another server must still hear of this agent in time. */
const TIMEOUT_MS = 1500;
/**
 * While no server answers, a few times four times as often as usual, for it may be a failover. Then no more
 * often than usual: fifty thousand agents would keep a server that is back from answering any. Within
 * what a leader that has just begun leaves to every lease, and some time to spare.
 */
const QUICK_RETRIES = 4;
const QUICK = 1 / 4;
const MAX_RETRY_MS = 8000;
/** No server asks for more than that. */
const MIN_BEAT_MS = 500;
/** While the servers refuse this agent, which changes only when someone does something about it. */
const REFUSED_MS = 5000;
/**
 * Every so many failures in a row those are asked anew that the user named: the servers that were known last
 * may be one of three, when the others had just come back.
 */
const LOST_AFTER = 3;
const MAX_BEAT_MS = 60_000;

export interface HeartbeatOptions {
  readonly upstream: Upstream;
  readonly servers: ServerList;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly beat: () => { readonly body: Beat; readonly token: string };
  readonly on: HeartbeatEvents;
  /** Where this agent stands; without it nothing is measured. */
  readonly place?: Pick<OwnPlace, 'keyOf' | 'told' | 'heard'> | undefined;
}

export interface HeartbeatEvents {
  /** The servers' catalog has nothing of this agent. */
  unknown(): void;
  /** A server answers after none did. */
  back(): void;
  /** Whether anybody wants to know what instances use. */
  wantsLoad?(isWanted: boolean): void;
  /** No server that is known has taken a beat a few times: there may be others, or they have moved. */
  lost(): void;
}

/** How it stands with the servers; anything else is why they refuse this agent. */
type Standing = 'new' | 'heard' | 'away' | Refusal;

interface Refusal {
  readonly refusal: string;
  /** It has no token that allows it yet, which may be set at any moment. */
  readonly lacksRight: boolean;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #cancel: Cancel = () => undefined;
  #beating: Promise<void> | undefined;
  #standing: Standing = 'new';
  #failures = 0;
  #isLate = false;
  #everyMs = DEFAULT_BEAT_MS;
  readonly #stopping = new AbortController();
  /** The last beat's round trip, and what its server was about; undefined where it says nothing. */
  #tookMs: number | undefined;
  /** Of the server that has taken it. */
  #answer: BeatAnswer | undefined;
  /** It went to another server than its own, to measure the way there, and says nothing else. */
  #isVisit = false;
  /** What it says of itself, as bytes: the same again and again. */
  #said: { readonly of: Beat; readonly bytes: Buffer } | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** By how much the servers stretch the time between beats, for the size of the cluster. */
  get scale(): number {
    return Math.max(1, this.#everyMs / DEFAULT_BEAT_MS);
  }

  /** Whether the last beat was taken. */
  get isHeard(): boolean {
    return this.#standing === 'heard';
  }

  /** The last beat was not answered in time, by servers that did not refuse a connection. */
  get isLate(): boolean {
    return this.#isLate;
  }

  start(): void {
    void this.beatNow();
  }

  /**
   * Beats at once; resolves when that is over, with why the servers refuse this agent for good if
   * they do.
   */
  async beatNow(): Promise<string | undefined> {
    if (this.#isStopped) return undefined;
    this.#cancel();
    this.#beating ??= this.#beat().finally(() => {
      this.#beating = undefined;
      this.#schedule();
    });
    await this.#beating;
    if (typeof this.#standing !== 'object' || this.#standing.lacksRight) return undefined;
    return this.#standing.refusal;
  }

  stop(): void {
    this.#stopping.abort();
    this.#cancel();
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  #schedule(): void {
    if (this.#isStopped) return;
    const refused = typeof this.#standing === 'object' ? REFUSED_MS : this.#retryMs();
    const delay = this.#standing === 'heard' ? this.#everyMs : refused;
    this.#cancel = this.#options.clock.after(delay, () => void this.beatNow());
  }

  #retryMs(): number {
    // Who is too busy to answer is not asked more often.
    const isQuick = this.#failures <= QUICK_RETRIES && !this.#isLate;
    return Math.min(MAX_RETRY_MS, this.#everyMs * (isQuick ? QUICK : 1));
  }

  async #beat(): Promise<void> {
    if (this.#options.servers.size === 0) return;
    let answer: ServerAnswer;
    try {
      answer = await this.#send();
    } catch (error) {
      this.#isLate = hasCode(error, 'ETIMEDOUT');
      this.#missed(`no server takes a sign of life: ${describeChain(error)}`);
      return;
    }
    this.#isLate = false;
    const text = answer.body.toString();
    const { status } = answer;
    if (this.#answer !== undefined) this.#heard(this.#answer);
    else if (isRefusal(answer)) this.#refused(text.trim(), status === 403);
    else this.#missed(`a server does not take a sign of life: ${status} ${text.slice(0, 200)}`);
  }

  #isTaken({ status, body }: ServerAnswer): boolean {
    try {
      this.#answer = status === 200 ? readBeatAnswer(body.toString()) : undefined;
    } catch {
      // Anything may answer where a server once was.
      this.#answer = undefined;
    }
    return this.#answer !== undefined;
  }

  #heard({ Servers, Known, NextMs, WantsLoad = false, Here }: BeatAnswer): void {
    const { servers, logger, on, place } = this.#options;
    const before = this.#standing;
    // Each agent goes by its own server: of two of which one is behind, each would take back what the other says.
    if (!this.#isVisit) servers.replace(Servers);
    this.#standing = 'heard';
    this.#failures = 0;
    this.#everyMs = Math.min(Math.max(NextMs, MIN_BEAT_MS), MAX_BEAT_MS);
    const here = placeAnsweredIn(Here);
    if (here !== undefined && this.#tookMs !== undefined) place?.heard(here, this.#tookMs);
    if (before !== 'heard') logger.info(`agent: in touch with servers (known: ${servers.size})`);
    on.wantsLoad?.(WantsLoad);
    if (!Known && !this.#isVisit) on.unknown();
    else if (before !== 'heard') on.back();
  }

  #missed(why: string): void {
    const { logger } = this.#options;
    if (!this.#isStopped && this.#standing !== 'away') logger.warn(`agent: ${why}`);
    this.#standing = 'away';
    this.#unheard();
  }

  #unheard(): void {
    this.#failures++;
    if (this.#failures % LOST_AFTER === 0) this.#options.on.lost();
  }

  #refused(refusal: string, lacksRight: boolean): void {
    const before = this.#standing;
    const said = typeof before === 'object' && before.refusal === refusal;
    if (!said) this.#options.logger.error(`agent: the servers refuse this agent: ${refusal}`);
    this.#standing = { refusal, lacksRight };
    this.#unheard();
  }

  #bytesOf(beat: Beat): Buffer {
    if (this.#said?.of !== beat) this.#said = { of: beat, bytes: Buffer.from(encodeJson(beat)) };
    return this.#said.bytes;
  }

  #send(): Promise<ServerAnswer> {
    const { upstream, beat, place } = this.#options;
    const { body, token } = beat();
    const own = `node:${body.Node}`;
    // Others are looked at only while its own server is heard.
    const key = (this.isHeard ? place?.keyOf(own, this.#everyMs) : undefined) ?? own;
    const headers = place && { [PLACE_HEADER]: encodeJson(place.told(key)) };
    this.#tookMs = undefined;
    this.#answer = undefined;
    this.#isVisit = key !== own;
    return upstream.ask({
      way: 'beat',
      method: 'PUT',
      target: BEAT_PATH,
      key,
      token,
      body: this.#bytesOf(body),
      timeoutMs: TIMEOUT_MS,
      repeatable: true,
      signal: this.#stopping.signal,
      isTaken: (answer) => this.#isTaken(answer),
      ...(headers !== undefined && { headers }),
      onAnswer: (ms) => {
        this.#tookMs = ms;
      },
    });
  }
}

/** The server has understood: this agent is not to be. All else may be otherwise the next time. */
function isRefusal({ status, headers }: ServerAnswer): boolean {
  if (status < 400 || status === 429 || status > 500) return false;
  return status < 500 || headers['x-proconsul-applied'] === undefined;
}

/**
 * The keys by which `exec` and the agents speak: the client's session holds all of them, and takes them with
 * it when it ends. `job` says what to run; below each node's name stand `ack`, `out/00000` and on, and `exit`.
 */
import { type Clock, pause } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';

export interface Request {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  readonly body?: Buffer | string;
}

/** Asks this agent as a client would, with the agent's own token. Rejects with a ProconsulError. */
export type Ask = (
  request: Request,
  signal: AbortSignal,
) => Promise<{ readonly json: unknown; readonly index: string }>;

/** Where a job is, as an event says it. */
export interface Place {
  readonly prefix: string;
  readonly session: string;
}

/** What a job may say: `Args` are run as they are, `Script` and `Command` by a shell. */
export interface Job {
  readonly command: string;
  readonly args: readonly string[];
  readonly script: Buffer | undefined;
  /** How long the client waits for a sign of life. */
  readonly waitMs: number;
}

const TRIES = 3;
const RETRY_MS = 1000;
/** One look at whether somebody still wants it. */
const LOOK = '60s';
const LONGEST_PREFIX = 512;
const DEFAULT_WAIT_MS = 1000;
const LEAST_WAIT_MS = 100;
const NS_PER_MS = 1e6;

/** Undefined where the payload of the event is not what `exec` sends. */
export function placeIn(payload: unknown): Place | undefined {
  const { Prefix, Session } = (decoded(payload) ?? {}) as Record<string, unknown>;
  if (typeof Prefix !== 'string' || Prefix.length > LONGEST_PREFIX) return undefined;
  if (typeof Session !== 'string' || !/^[\da-f-]{36}$/i.test(Session)) return undefined;
  return { prefix: Prefix.replace(/\/+$/, ''), session: Session };
}

export class JobKeys {
  readonly #ask: Ask;
  readonly #clock: Clock;
  readonly #node: string;
  readonly #place: Place;
  readonly #signal: AbortSignal;

  constructor(ask: Ask, place: Place, of: { clock: Clock; node: string; signal: AbortSignal }) {
    this.#ask = ask;
    this.#place = place;
    this.#clock = of.clock;
    this.#node = of.node;
    this.#signal = of.signal;
  }

  /** Undefined where it is not there, or is not the session's: whoever wanted it has gone. */
  async job(): Promise<Job | undefined> {
    const { value } = await this.#look([]);
    return value === undefined ? undefined : jobIn(value);
  }

  /** Resolves when whoever wanted it has gone, with all that nobody reads any more, or the signal is aborted. */
  async gone(): Promise<void> {
    let since: Request['query'] = [];
    let seen = '';
    while (!this.#signal.aborted) {
      try {
        const { value, index } = await this.#look(since);
        if (value === undefined) return;
        // Whoever answers at once, and with nothing new, is not asked without end.
        if (index === seen) await pause(this.#clock, RETRY_MS, this.#signal);
        seen = index;
        since = [
          ['index', index],
          ['wait', LOOK],
        ];
      } catch (error) {
        if (!(error instanceof ProconsulError)) throw error;
        await pause(this.#clock, RETRY_MS, this.#signal);
      }
    }
  }

  /** The value is undefined where the key is not there, or is not the session's. */
  async #look(query: Request['query']): Promise<{ value: unknown; index: string }> {
    const request = { method: 'GET', path: this.#path('job'), query } as const;
    const { json, index } = await this.#ask(request, this.#signal);
    // Without one there is nothing to wait at.
    if (!/^\d+$/.test(index)) throw new ProconsulError('unavailable', 'an answer has no index');
    const [pair] = (Array.isArray(json) ? json : []) as { Session?: string; Value?: unknown }[];
    const value = pair?.Session === this.#place.session ? (pair.Value ?? '') : undefined;
    return { value, index };
  }

  /** False where the session is gone, and with it whoever would read it. */
  async write(name: string, value: Buffer | string): Promise<boolean> {
    const request = {
      method: 'PUT',
      path: this.#path(`${encodeURIComponent(this.#node)}/${name}`),
      query: [['acquire', this.#place.session]],
      body: value,
    } as const;
    for (let tries = 1; ; tries++) {
      try {
        return (await this.#ask(request, this.#signal)).json === true;
      } catch (error) {
        if (!(error instanceof ProconsulError)) throw error;
        if (this.#signal.aborted) return false;
        // To write it twice does no harm.
        if (tries === TRIES) throw error;
        await pause(this.#clock, RETRY_MS, this.#signal);
      }
    }
  }

  #path(rest: string): string {
    const { prefix, session } = this.#place;
    const parts = [...prefix.split('/'), session].map(encodeURIComponent);
    return `/v1/kv/${parts.join('/')}/${rest}`;
  }
}

function jobIn(value: unknown): Job | undefined {
  const said = decoded(value) as Record<string, unknown> | undefined;
  if (said === undefined) return undefined;
  const { Command = '', Args, Script, Wait = 0 } = said;
  const args = Array.isArray(Args) ? Args : [];
  if (typeof Command !== 'string' || !args.every((each) => typeof each === 'string')) return;
  const script = typeof Script === 'string' ? Buffer.from(Script, 'base64') : undefined;
  if (Command === '' && args.length === 0 && script === undefined) return undefined;
  const waitMs = Number(Wait) / NS_PER_MS || DEFAULT_WAIT_MS;
  return { command: Command, args, script, waitMs: Math.max(waitMs, LEAST_WAIT_MS) };
}

/** The object that is written in base64; undefined where it is none. */
function decoded(base64: unknown): object | undefined {
  if (typeof base64 !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(base64, 'base64').toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

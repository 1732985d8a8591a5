/**
 * Answers a request whose very bytes were answered before, and begins the exchange of a write whose head
 * is known, without parsing them: see README.md. It learns from exchanges that went the long way, and
 * takes what comes between two messages of a connection.
 */
import type { Socket } from 'node:net';
import { ByteCache } from '../../byte-cache.ts';
import { systemClock } from '../../clock.ts';
import { type Audited, CLIENT_GONE, type Repeated } from '../audit.ts';
import { connectionOf } from '../connection.ts';
import { heldAt, saysHeld, stillHeld, tagAt, tagged, tagOf } from '../held.ts';
import {
  type Begin,
  type Message,
  ReadyMessage,
  ReadyResponse,
  type Response,
} from '../ready-exchange.ts';
import type { PassedOn, Pending, Shared, Wire } from '../reply.ts';
import { type Writing, wireOf } from '../respond.ts';
import type { RouteTime } from '../route-times.ts';
import type { AtWork, Shortcut } from '../shortcut.ts';
import type { Waits } from '../waits.ts';
import { KnownHeads } from './known-heads.ts';
import { type Lot, Parked } from './parked.ts';
import { ReadyBytes, readyOf } from './ready-bytes.ts';
import type { Entered, SharedWait } from './shared-wait.ts';
import { SharedWaits } from './shared-waits.ts';

/** Room for answers; what is let go is learnt again when it is asked. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** Bytes that were sent once and never again are forgotten. */
const MAX_IDLE_MS = 5 * 60_000;
/** Whoever traces sends another value of one of them each time. */
const NAMING_ONE_REQUEST = [
  ...['traceparent', 'b3', 'x-b3-traceid', 'uber-trace-id', 'x-amzn-trace-id'],
  ...['x-cloud-trace-context', 'x-datadog-trace-id', 'x-request-id', 'x-correlation-id'],
];
/** A request without a body is hardly ever longer, and a longer one is not worth its room. */
const MAX_REQUEST_BYTES = 4096;

/** What was learnt of a request, beside its answer or who it is passed on to. */
interface OfRequest {
  /** Where it was asked from: guards may refuse the same bytes from elsewhere. */
  readonly origin: string;
  /** What is to be written down each time. */
  readonly repeated: Repeated | undefined;
  /** Of the row that it was learnt from. */
  readonly time: RouteTime | undefined;
}

interface Answered extends OfRequest {
  readonly kind: 'answered';
  readonly shared: Shared;
  readonly ready: ReadyBytes;
  readonly writing: Writing;
  /** For those that say what they hold. */
  readonly held: { readonly tag: string; readonly still: ReadyBytes } | undefined;
}

type Learnt = Omit<Answered, 'kind' | 'ready' | 'held'>;

interface Passing extends OfRequest {
  readonly kind: 'passing';
  readonly passedOn: PassedOn;
  readonly common: Writing['common'];
  /** It did not go well: the long way is asked how it goes now. */
  readonly forget: () => void;
  /** It may keep more alive than it did. */
  readonly counts: () => void;
}

/** A request that may be answered here, since when, and who is told that it was. */
interface Taken {
  /** What it is known by. */
  readonly request: string;
  /** Which answer it says that it holds. */
  readonly holds: string | undefined;
  readonly socket: Socket;
  readonly done: (answered: boolean) => void;
  readonly from: number;
}

/** The exchange that is learnt from. */
interface Asking {
  readonly message: Message;
  readonly response: Response;
  readonly audited?: Audited | undefined;
  readonly time?: RouteTime | undefined;
  /** '' where it brought none. */
  readonly token: string;
}

export interface FastPathOptions {
  readonly maxBytes?: number;
  /** Of a request: what is longer is refused by the parser. */
  readonly maxHeadBytes?: number | undefined;
  /** Asked for each request that could be answered here; else it goes the long way. */
  readonly admits?: (() => boolean) | undefined;
  /** Where each that waits takes a place. */
  readonly waits?: Waits | undefined;
  /**
   * From which addresses the guards refuse the same: an answer goes to no other than it was learnt from. Where nobody
   * says it, no two are alike.
   */
  readonly originOf?: ((remoteAddress: string) => string) | undefined;
}

export class FastPath implements Shortcut {
  /** By the bytes that asked. */
  readonly #learnt: ByteCache<string, Answered | Passing>;
  readonly #waits = new SharedWaits();
  readonly #heads: KnownHeads;
  readonly #admits: () => boolean;
  readonly #places: Waits | undefined;
  readonly #originAt: (remoteAddress: string) => string;
  readonly #origins = new WeakMap<Socket, string>();
  #parked = 0;
  #answered = 0;

  constructor(options: FastPathOptions = {}) {
    const { maxBytes = MAX_ANSWER_BYTES, admits = () => true, waits, maxHeadBytes } = options;
    this.#heads = new KnownHeads(maxHeadBytes);
    this.#admits = admits;
    this.#places = waits;
    this.#originAt = options.originOf ?? ((remoteAddress) => remoteAddress);
    this.#learnt = new ByteCache({ maxBytes, idle: { maxMs: MAX_IDLE_MS, clock: systemClock } });
  }

  /** How many requests were answered here, ever. */
  get answered(): number {
    return this.#answered;
  }

  /** How many requests have an answer or a wait here, the answers' room, and how many are parked. */
  get size(): { answers: number; bytes: number; waits: number; parked: number } {
    const { size: answers, bytes } = this.#learnt;
    return { answers, bytes, waits: this.#waits.size, parked: this.#parked };
  }

  /** The exchange is about to end with this answer. */
  answers(asking: Asking, answer: Pick<Answered, 'shared' | 'writing'>, wire: Wire): void {
    const request = this.#repeatable(asking);
    if (request !== undefined) this.#keep(request, { ...this.#ofRequest(asking), ...answer }, wire);
  }

  /** The exchange passes on what somebody else answers. */
  passesOn(asking: Asking, passedOn: PassedOn, common: Writing['common']): void {
    const request = this.#repeatable(asking);
    if (request === undefined) return;
    const of = this.#ofRequest(asking);
    const forget = () => void this.#learnt.delete(request);
    const bytes = () => passedOn.bytes + (of.repeated?.bytes ?? 0);
    const counts = () => kept.resize(bytes());
    const passing: Passing = { kind: 'passing', ...of, passedOn, common, forget, counts };
    const kept = this.#learnt.keep(request, passing, bytes());
  }

  /** The exchange is about to wait, until it says that it is over. */
  waits(asking: Asking, pending: Pending, writing: Writing): Entered | undefined {
    const request = this.#requestOf(asking);
    if (request === undefined) return undefined;
    this.#learnt.delete(request);
    const { token } = asking;
    const asked = () => ({ ...this.#ofRequest(asking), pending, writing, token });
    return this.#waits.open(request, asked).enter();
  }

  /** The exchange of a write is about to end: the next one with such a head need not be parsed. */
  writes({ message, response }: Asking, begin: Begin): void {
    if (message.method === 'GET' || message instanceof ReadyMessage) return;
    if (!response.shouldKeepAlive || namesItself(message)) return;
    const chunk = connectionOf(message.socket)?.wholeChunk(message);
    if (chunk !== undefined) this.#heads.learn(message, chunk, begin);
  }

  take(
    request: Buffer,
    socket: Socket,
    done: (answered: boolean) => void,
  ): 'answered' | AtWork | undefined {
    // What is answered again is a GET, and nothing else begins so.
    if (request[0] !== LETTER_G) return this.#begin(request, socket, done);
    if (request.length > MAX_REQUEST_BYTES) return undefined;
    const text = request.toString('latin1');
    const at = heldAt(text);
    const known = at === undefined ? text : text.slice(0, at);
    const learnt = this.#learnt.get(known)?.value ?? this.#waits.find(text);
    if (learnt === undefined || learnt.origin !== this.#originOf(socket)) return undefined;
    if (!this.#admits()) return undefined;
    const holds = at === undefined ? undefined : tagAt(text, at);
    const from = systemClock.monotonic();
    const taken = { request: known, holds, socket, done, from };
    if (learnt.kind === 'passing') return this.#passOn(learnt, taken);
    const ready = learnt.shared.ready();
    return ready === undefined ? this.#use(learnt, taken) : this.#useWhen(ready, learnt, taken);
  }

  /** Its guards and its row see to it as to any other. */
  #begin(request: Buffer, socket: Socket, done: Taken['done']): 'answered' | AtWork | undefined {
    const known = this.#heads.find(request, socket);
    const connection = connectionOf(socket);
    if (known === undefined || connection === undefined) return undefined;
    let isOver = false;
    let isLater = false;
    const response = new ReadyResponse(socket, {
      isLast: () => connection.isFinishing,
      over: (closes) => {
        if (closes) connection.closes();
        isOver = true;
        if (isLater) done(true);
      },
    });
    if (!known.begin(known.message, response)) return undefined;
    this.#answered++;
    if (isOver) return 'answered';
    isLater = true;
    return {
      withdraw() {
        if (socket.destroyed) response.gone();
        return false;
      },
    };
  }

  #use(learnt: Answered | SharedWait, taken: Taken): 'answered' | AtWork | undefined {
    if (learnt.kind === 'wait') {
      return stands(learnt.shared) ? this.#park(learnt, taken) : undefined;
    }
    const now = stands(learnt.shared) ? learnt : this.#anew(learnt, taken.request);
    return now && this.#answer(now, taken);
  }

  /** What the same bytes are answered by now, as their route would make it; undefined where it must. */
  #anew(learnt: Answered, request: string): Answered | undefined {
    const { shared, writing } = learnt;
    try {
      const reply = shared.anew?.();
      if (reply?.shared === undefined) return undefined;
      const wire = wireOf(reply, writing, () => undefined);
      if (!(wire instanceof Promise)) {
        return this.#keep(request, { ...learnt, shared: reply.shared }, wire);
      }
      // It is large, or must be compressed: its route gets the same, and has it made.
      wire.catch(() => undefined);
    } catch {
      // Its route says so.
    }
    return undefined;
  }

  #answer(
    { ready, held, repeated, time }: Answered,
    taken: Taken,
  ): 'answered' | AtWork | undefined {
    let isTaken = false;
    let isLater = false;
    const sent = () => {
      isTaken = true;
      if (isLater) taken.done(true);
    };
    const isHeld = held !== undefined && held.tag === taken.holds;
    try {
      (isHeld ? held.still : ready).answerTo(taken.socket, sent);
    } catch {
      // There is no room for it, which its route says.
      return undefined;
    }
    this.#answered++;
    repeated?.begins(taken.socket)(ready.status);
    time?.took(systemClock.monotonic() - taken.from, ready.status);
    if (isTaken) return 'answered';
    isLater = true;
    return ON_ITS_WAY;
  }

  /** As `#use`, once the answer is known to be new enough. */
  #useWhen(ready: Promise<void>, learnt: Answered | SharedWait, taken: Taken): AtWork {
    const { socket, done } = taken;
    let isCancelled = false;
    let used: AtWork | undefined;
    const use = () => {
      if (isCancelled) return;
      const now = this.#use(learnt, taken);
      if (typeof now === 'object') used = now;
      else done(now === 'answered');
    };
    ready.then(use, () => isCancelled || done(false));
    return {
      withdraw() {
        if (used !== undefined) return used.withdraw();
        isCancelled = true;
        if (socket.destroyed) learnt.repeated?.begins(socket)(CLIENT_GONE);
        return true;
      },
    };
  }

  #passOn(
    { passedOn, common, forget, counts, repeated, time }: Passing,
    { socket, done, from }: Taken,
  ): AtWork | undefined {
    const ends = repeated?.begins(socket);
    const passing = passedOn.pass(socket, common, (told) => {
      const status = typeof told === 'object' ? told.status : told;
      ends?.(status);
      if (status === undefined) forget();
      else {
        counts();
        this.#answered++;
        time?.took(systemClock.monotonic() - from, status);
      }
      if (typeof told === 'object') readyOf(told).writeTo(socket, () => done(true));
      else done(status !== undefined);
    });
    if (passing === undefined) {
      ends?.(undefined);
      return undefined;
    }
    return {
      withdraw() {
        if (!passing.withdraw()) return false;
        ends?.(socket.destroyed ? CLIENT_GONE : undefined);
        return true;
      },
    };
  }

  /** Undefined where there is no place for it: its route says so. */
  #park(wait: SharedWait, { socket, done, from }: Taken): AtWork | undefined {
    const places = this.#places;
    const free = places?.enter(wait.token, socket.remoteAddress ?? '');
    if (places !== undefined && free === undefined) return undefined;
    this.#waits.enter(wait);
    const parked = new Parked(this.#lot, wait, { socket, done, from, free });
    this.#parked++;
    return parked;
  }

  readonly #lot: Lot = {
    left: (isAnswered) => {
      this.#parked--;
      if (isAnswered) this.#answered++;
    },
  };

  #keep(request: string, learnt: Learnt, wire: Wire): Answered {
    const tag = saysHeld(request) ? tagOf(wire) : undefined;
    const ready = new ReadyBytes(tag === undefined ? wire : tagged(wire, tag));
    const held = tag === undefined ? undefined : { tag, still: new ReadyBytes(stillHeld(tag)) };
    const answered: Answered = { ...learnt, kind: 'answered', ready, held };
    const bytes = ready.bytes + learnt.shared.bytes + (learnt.repeated?.bytes ?? 0);
    this.#learnt.keep(request, answered, bytes);
    return answered;
  }

  /** Undefined where its bytes will not come again: what is kept for them would put out what others ask for. */
  #repeatable(asking: Asking): string | undefined {
    const request = namesItself(asking.message) ? undefined : this.#requestOf(asking);
    return request?.slice(0, heldAt(request));
  }

  #ofRequest({ message, audited, time }: Asking): OfRequest {
    return { origin: this.#originOf(message.socket), repeated: audited?.repeated(), time };
  }

  #originOf(socket: Socket): string {
    const known = this.#origins.get(socket);
    if (known !== undefined) return known;
    const origin = this.#originAt(socket.remoteAddress ?? '');
    this.#origins.set(socket, origin);
    return origin;
  }

  #requestOf({ message, response }: Asking): string | undefined {
    if (!response.shouldKeepAlive || message instanceof ReadyMessage) return undefined;
    return connectionOf(message.socket)?.wholeRequest(message);
  }
}

const ON_ITS_WAY: AtWork = { withdraw: () => false };
const LETTER_G = 0x47;

function namesItself({ headers }: Message): boolean {
  return NAMING_ONE_REQUEST.some((name) => headers[name] !== undefined);
}

/** A query that comes to an error has no answer that could stand: its route says it best. */
function stands(shared: Shared): boolean {
  try {
    return shared.stands();
  } catch {
    return false;
  }
}

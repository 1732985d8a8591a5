/** The connections of HTTP/2 to one host: many requests at once on each. */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { type Fields, NO_FIELDS, type Sorted, sorted } from './fields.ts';
import type { Open } from './h1-host.ts';
import { CODE } from './h2/frames.ts';
import { type Block, blockOf, fieldText } from './h2/hpack.ts';
import { Session as Wire } from './h2/session.ts';
import type { Stream, StreamTaker } from './h2/stream.ts';
import type { Head } from './head.ts';
import { Leases, type Places } from './places.ts';
import type { Connection, Connections, Sending, Taking } from './sending.ts';

/** Requests at once on one connection; more have one more. Hosts often allow a hundred. */
const MAX_STREAMS = 100;
/** Of what comes for one request, until somebody takes it. */
const WINDOW_BYTES = 256 * 1024;
const MAX_HEAD_BYTES = 64 * 1024;
/** Of answers before the answer itself. */
const MAX_INTERIM = 16;
/** A connection without a request for so long is closed. */
const IDLE_MS = 60_000;
/** A host that has not said by then what it lets be does not speak HTTP/2. */
const GREETING_MS = 5000;
/** One that was asked and said nothing for so long may be gone without anybody hearing of it. */
const SILENT_MS = 5000;
const LENGTH = /^\d{1,15}$/;

export class H2Host implements Connections {
  readonly #open: Open;
  readonly #clock: Clock;
  readonly #leases: Leases<Session>;
  readonly #sessions = new Set<Session>();
  #opening: Promise<Session> | undefined;
  #isClosed = false;

  constructor(open: Open, places: Places, clock: Clock) {
    this.#open = open;
    this.#clock = clock;
    const opened = async () => {
      this.#opening = this.#opened().finally(() => {
        this.#opening = undefined;
      });
      return (await this.#opening).promised();
    };
    this.#leases = new Leases(places, { found: () => this.#found(), open: opened });
  }

  lease(isWanted: () => boolean): Connection | Promise<Connection> {
    const found = this.#found();
    if (found !== undefined) return found;
    // As many as it can take, take it.
    if (this.#opening !== undefined) return this.#opening.then(() => this.lease(isWanted));
    return this.#leases.lease(isWanted);
  }

  close(): void {
    this.#isClosed = true;
    for (const session of [...this.#sessions]) session.retire();
  }

  #found(): Session | undefined {
    for (const session of this.#sessions) if (session.hasRoom) return session.promised();
    return undefined;
  }

  async #opened(): Promise<Session> {
    const socket = await this.#open();
    // What has ended on one side is over: no stream has the rest of its answer any more.
    socket.allowHalfOpen = false;
    let isOpen = false;
    let decided: () => void = () => undefined;
    const greeted = new Promise<void>((resolve) => {
      decided = resolve;
    });
    const wire = new Wire({
      socket,
      windowBytes: WINDOW_BYTES,
      maxHeadBytes: MAX_HEAD_BYTES,
      clock: this.#clock,
      greeted: () => decided(),
      retired: () => this.#sessions.delete(session),
      closed: () => session.gone(),
      freed: () => this.#leases.look(),
    });
    const session: Session = new Session(wire, this.#clock, {
      gone: () => {
        decided();
        this.#sessions.delete(session);
        if (isOpen) this.#leases.gone();
      },
      freed: () => this.#leases.look(),
    });
    const cancel = this.#clock.after(GREETING_MS, () => decided());
    await greeted;
    cancel();
    // Until a host has said how many requests it lets be, it is sent none.
    isOpen = wire.isGreeted && session.hasRoom && !this.#isClosed;
    if (!isOpen) {
      session.retire();
      throw new ProconsulError('unavailable', 'it takes no request by HTTP/2');
    }
    this.#sessions.add(session);
    return session;
  }
}

interface SessionOwner {
  gone(): void;
  /** It may take another request. */
  freed(): void;
}

class Session implements Connection {
  readonly #wire: Wire;
  readonly #clock: Clock;
  readonly #owner: SessionOwner;
  /** To requests that are not sent yet. */
  #promised = 0;
  #idleSince: number;
  /** Since when it has been asked and has said nothing at all. */
  #askedAt = 0;
  #heardBefore = -1;
  #cancel: Cancel;

  constructor(wire: Wire, clock: Clock, owner: SessionOwner) {
    this.#wire = wire;
    this.#clock = clock;
    this.#owner = owner;
    this.#idleSince = clock.monotonic();
    this.#cancel = clock.after(IDLE_MS, () => this.#look());
  }

  get hasRoom(): boolean {
    const { isRetired, streams, maxStreams } = this.#wire;
    return !isRetired && streams + this.#promised < Math.min(MAX_STREAMS, maxStreams);
  }

  /** For one request, which is sent next or comes back. */
  promised(): this {
    this.#promised++;
    return this;
  }

  /** Takes no more, and closes when what it has is over. */
  retire(): void {
    this.#wire.retire();
  }

  gone(): void {
    this.#cancel();
    this.#owner.gone();
  }

  back(): void {
    this.#promised--;
    this.#owner.freed();
  }

  send(head: Head, taking: Taking): Sending {
    this.#promised--;
    const call = new Call(taking, this);
    const stream = this.#wire.open(call);
    if (stream === undefined) {
      // It has closed meanwhile, and nothing went out.
      const message = 'the connection closes';
      process.nextTick(() => taking.failed({ kind: 'refused', message, isStale: true }));
      return NOTHING;
    }
    this.#idleSince = this.#clock.monotonic();
    if (this.#wire.heard !== this.#heardBefore) {
      this.#heardBefore = this.#wire.heard;
      this.#askedAt = this.#idleSince;
    }
    call.begin(stream, head);
    return call;
  }

  get isRetired(): boolean {
    return this.#wire.isRetired;
  }

  /** Nobody waits for an answer any more. Of a host that says nothing nobody knows whether it is still there. */
  unanswered(): void {
    const isSilent = this.#wire.heard === this.#heardBefore;
    if (isSilent && this.#clock.monotonic() - this.#askedAt >= SILENT_MS) this.retire();
  }

  #look(): void {
    const now = this.#clock.monotonic();
    if (this.#wire.streams > 0) this.#idleSince = now;
    const left = IDLE_MS - (now - this.#idleSince);
    if (left <= 0) this.retire();
    else this.#cancel = this.#clock.after(left, () => this.#look());
  }
}

const NOTHING: Sending = {
  write: () => true,
  end: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
  abort: () => undefined,
};

class Call implements Sending, StreamTaker {
  readonly #taking: Taking;
  readonly #session: Session;
  #stream: Stream | undefined;
  #isOfHead = false;
  #interim = 0;
  #hasAnswer = false;
  #trailers: Fields = NO_FIELDS;
  #isOver = false;

  constructor(taking: Taking, session: Session) {
    this.#taking = taking;
    this.#session = session;
  }

  begin(stream: Stream, head: Head): void {
    this.#stream = stream;
    this.#isOfHead = head.method === 'HEAD';
    stream.buffered = this.#taking.buffered;
    stream.head(textOf(head), head.length === 0);
  }

  write(chunk: Buffer): boolean {
    return this.#isOver || this.#stream?.write(chunk) !== false;
  }

  end(trailers: Fields): void {
    if (!this.#isOver) this.#stream?.end(trailers);
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    if (!this.#isOver) this.#stream?.resume();
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stream?.abort(CODE.cancel);
    if (!this.#hasAnswer) this.#session.unanswered();
  }

  fieldsCame({ fields: raw }: Block, isEnd: boolean): void {
    if (this.#isOver) return;
    if (this.#hasAnswer) {
      if (isEnd) this.#trailers = sorted(raw).fields;
      else this.#refuse('a head in the middle of a body');
      return;
    }
    const status = statusIn(raw);
    const isInterim = status >= 100 && status < 200 && status !== 101;
    if (isInterim && !isEnd && ++this.#interim <= MAX_INTERIM) return;
    if (isAnswer(status)) this.#answered(status, sorted(raw), isEnd);
    else this.#refuse(`a status of ${status}`);
  }

  #answered(status: number, { fields, length }: Sorted, isEnd: boolean): void {
    if (length !== '' && !LENGTH.test(length)) {
      this.#refuse(`a length of ${length}`);
      return;
    }
    this.#hasAnswer = true;
    const known = length === '' ? undefined : Number(length);
    // What these say of a body is about another answer: they have none.
    const hasBody = !this.#isOfHead && status !== 204 && status !== 304;
    if (this.#stream !== undefined) this.#stream.expected = hasBody ? known : 0;
    // The stream breaks at once, and tells it.
    if (isEnd && hasBody && (known ?? 0) > 0) return;
    this.#isOver = isEnd;
    this.#taking.answered({ status, fields, length: known, upgrade: '' }, isEnd);
  }

  data(chunk: Buffer): void {
    if (this.#isOver) return;
    if (this.#hasAnswer) this.#taking.data(chunk);
    else this.#refuse('a body without a head');
  }

  ended(): void {
    // Who answers before the request was over does not want the rest of it, however short the answer.
    if (this.#hasAnswer && this.#stream?.isAnswered === false) this.#stream.abort(CODE.cancel);
    if (this.#isOver) return;
    if (!this.#hasAnswer) {
      this.#refuse('an end without an answer');
      return;
    }
    this.#isOver = true;
    this.#taking.ended(this.#trailers);
  }

  broken(code: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const kind = code === CODE.refused ? 'refused' : 'reset';
    // A connection that goes says nothing of the host.
    const isStale = this.#session.isRetired && !this.#hasAnswer;
    // Node's says so of a request beyond as many as it takes at once.
    const isBusy = code === CODE.calm;
    this.#taking.failed({ kind, message: `remote ${kind}`, isStale, isBusy });
  }

  drained(): void {
    if (!this.#isOver) this.#taking.drained();
  }

  #refuse(message: string): void {
    this.abort();
    this.#taking.failed({ kind: 'reset', message });
  }
}

/** 0 where there is none, or one that is no number. */
function statusIn(raw: readonly string[]): number {
  const [name, value = ''] = raw;
  return name === ':status' && /^\d{3}$/.test(value) ? Number(value) : 0;
}

/** As in HTTP/1.1: nobody can be told of any other. */
function isAnswer(status: number): boolean {
  return status >= 200 && status <= 599;
}

function textOf({ method, path, authority, fields, length, takesTrailers }: Head): string {
  let text = fieldText(':method', method) + fieldText(':scheme', 'http');
  text += fieldText(':path', path) + fieldText(':authority', authority) + blockOf(fields);
  if (length !== undefined && length > 0) text += fieldText('content-length', String(length));
  if (takesTrailers) text += fieldText('te', 'trailers');
  return text;
}

/**
 * A connection of HTTP/2 (RFC 9113), from either side. What its rules forbid ends the connection, or the stream
 * that it is about.
 */
import { Farewell } from './farewell.ts';
import { CODE, FIRST_WINDOW, FLAG, FRAME, MAX_WINDOW, type Outgoing, unpadded } from './frames.ts';
import { type Head, Heads } from './heads.ts';
import { NO_TABLE } from './hpack.ts';
import { Inlet } from './inlet.ts';
import { Intake } from './intake.ts';
import { Outlet } from './outlet.ts';
import { Patience } from './patience.ts';
import type { SessionOptions } from './session-options.ts';
import { greet, SETTING, settingsIn } from './settings.ts';
import { type Carrier, Stream, type StreamTaker } from './stream.ts';

/** All ids that there are for requests. */
const MAX_REQUESTS = 2 ** 30;

export class Session implements Carrier {
  readonly #options: SessionOptions;
  readonly #inlet: Inlet;
  readonly #heads: Heads;
  readonly #outlet: Outlet;
  readonly #intake: Intake;
  readonly #farewell: Farewell;
  readonly #streams = new Map<number, Stream>();
  readonly #blocked = new Set<Stream>();
  readonly #patience: Patience;
  readonly isServer: boolean;
  sendWindow = FIRST_WINDOW;
  #firstWindow = FIRST_WINDOW;
  #maxStreams = Number.POSITIVE_INFINITY;
  #nextId = 1;
  #lastId = 0;
  #requests = 0;
  #hasSettings = false;
  #saysNoTable = true;
  #isRetired = false;
  #isClosed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { socket, clock, windowBytes, maxHeadBytes, serves } = options;
    this.#heads = new Heads(maxHeadBytes);
    this.#outlet = new Outlet(socket, clock, options.buffered);
    this.#farewell = new Farewell(this.#outlet);
    this.#patience = new Patience(clock);
    this.isServer = serves !== undefined;
    this.#intake = new Intake(this.isServer, (bytes) => this.#widen(bytes));
    greet(this.out, { windowBytes, maxHeadBytes, maxStreams: serves?.maxStreams });
    this.touched();
    const tooLong = () => this.#fail(CODE.size);
    this.#inlet = new Inlet({ socket, frame: this.#tell, tooLong, isOver: () => this.#isClosed });
    socket.on('error', () => undefined);
    for (const end of ['end', 'close']) socket.on(end, () => this.#over(CODE.cancel));
  }

  get out(): Outgoing {
    return this.#outlet.out;
  }

  get isCongested(): boolean {
    return this.#outlet.isCongested;
  }

  get streams(): number {
    return this.#streams.size;
  }

  get isGreeted(): boolean {
    return this.#hasSettings;
  }

  /** Grows with whatever comes. */
  get heard(): number {
    return this.#inlet.heard;
  }

  /** As many as the other side lets be at once. */
  get maxStreams(): number {
    return this.#maxStreams;
  }

  /** No more can be sent. */
  get isRetired(): boolean {
    return this.#isRetired || this.#isClosed;
  }

  /** For a request; undefined where no more can be sent. */
  open(taker: StreamTaker): Stream | undefined {
    if (this.isRetired) return undefined;
    const stream = this.#made(this.#nextId);
    this.#nextId += 2;
    stream.taker = taker;
    const { maxRequests = MAX_REQUESTS } = this.#options;
    if (this.#nextId > 2 * maxRequests) this.#retired();
    return stream;
  }

  get prefix(): string {
    if (!this.#saysNoTable) return '';
    this.#saysNoTable = false;
    return NO_TABLE;
  }

  /** Says that no more will be taken; what is on its way still is. */
  warn(): void {
    if (!this.isRetired) this.#farewell.warn();
  }

  /** Retires when the other side has heard the warning. */
  retireWarned(): void {
    this.#farewell.onceHeard(() => this.retire());
  }

  /** Takes no more, and closes when what it has is over. */
  retire(): void {
    if (this.isRetired) return;
    this.#farewell.goaway(this.#lastId, CODE.none);
    this.#retired();
  }

  /** Whoever is there is heard by it. */
  ping(): void {
    this.#farewell.ask();
  }

  keeps(bytes: number): void {
    this.#intake.keeps(bytes);
  }

  touched(): void {
    this.#outlet.touched();
  }

  blocked(stream: Stream): void {
    this.#blocked.add(stream);
  }

  waits(stream: Stream): void {
    this.#outlet.waits(stream);
  }

  inVain(): void {
    if (this.isServer && !this.#patience.inVain()) this.#fail(CODE.calm);
  }

  over(stream: Stream): void {
    this.#blocked.delete(stream);
    this.#outlet.forget(stream);
    if (!this.#streams.delete(stream.id)) return;
    if (stream.isAnswered) this.#patience.answered();
    if (stream.isReset) this.#intake.wasReset(stream.id);
    this.#options.freed?.();
    this.#endIfEmpty();
  }

  #made(id: number): Stream {
    const windows = { send: this.#firstWindow, receive: this.#options.windowBytes };
    const stream = new Stream(id, this, windows);
    stream.buffered = this.#options.buffered;
    this.#requests++;
    this.#streams.set(id, stream);
    return stream;
  }

  readonly #tell = (type: number, flags: number, id: number, payload: Buffer): boolean => {
    const code = this.#frame(type, flags, id, payload);
    if (code !== CODE.none) this.#fail(code);
    return !this.#isClosed;
  };

  /** What is wrong with it, for all of the connection. */
  #frame(type: number, flags: number, id: number, payload: Buffer): number {
    if (!this.#hasSettings && type !== FRAME.settings) return CODE.protocol;
    const { unfinished } = this.#heads;
    if (unfinished !== 0 && (type !== FRAME.more || id !== unfinished)) return CODE.protocol;
    switch (type) {
      case FRAME.data:
        return this.#data(flags, id, payload);
      case FRAME.head:
        return this.#head(this.#heads.first(flags, id, payload));
      case FRAME.more:
        return this.#head(this.#heads.more(flags, payload));
      case FRAME.window:
        return this.#window(id, payload);
      case FRAME.reset:
        return this.#reset(id, payload);
      case FRAME.settings:
      case FRAME.ping:
      case FRAME.goaway:
        return id === 0 ? this.#ofAll(type, flags, payload) : CODE.protocol;
      case FRAME.priority:
        if (id === 0) return CODE.protocol;
        return payload.length === 5 ? this.#idle() : CODE.size;
      case FRAME.promise:
        return CODE.protocol;
      default:
        return this.#idle();
    }
  }

  /** Frames that are about the connection. */
  #ofAll(type: number, flags: number, payload: Buffer): number {
    if (type === FRAME.settings) return this.#settings(flags, payload);
    if (type === FRAME.goaway) return this.#leaves(payload);
    if (payload.length !== 8) return CODE.size;
    if ((flags & FLAG.ack) !== 0) this.#farewell.heard();
    else {
      this.out.frame(FRAME.ping, FLAG.ack, 0, payload.length);
      this.out.body(payload);
      this.touched();
    }
    return this.#idle();
  }

  #idle(): number {
    return this.#patience.idle() ? CODE.none : CODE.calm;
  }

  #data(flags: number, id: number, payload: Buffer): number {
    const isEnd = (flags & FLAG.end) !== 0;
    const chunk = unpadded(flags, payload);
    if (id === 0 || chunk === undefined) return CODE.protocol;
    if (!this.#intake.came(payload.length)) return CODE.flow;
    if (chunk.length === 0 && !isEnd && this.#idle() !== CODE.none) return CODE.calm;
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.isWhole) {
      const code = this.#late(id, stream);
      if (code !== CODE.none) return code;
    } else stream.dataCame(chunk, payload.length, isEnd);
    this.#intake.letMoreCome();
    return CODE.none;
  }

  #widen(bytes: number): void {
    this.out.frame(FRAME.window, 0, 0, 4);
    this.out.number(bytes);
    this.touched();
  }

  /** Of a stream on which no more may come, or that never was. */
  #late(id: number, stream: Stream | undefined): number {
    if (stream !== undefined) return stream.fault(CODE.closed);
    if (this.#isUnknown(id)) return CODE.protocol;
    return this.#intake.isLate(id) ? CODE.none : CODE.closed;
  }

  #isUnknown(id: number): boolean {
    return id % 2 === 0 || (this.isServer ? id > this.#lastId : id >= this.#nextId);
  }

  #head(head: Head | number | undefined): number {
    if (typeof head !== 'object') return head ?? CODE.none;
    const { stream: id, block, isEnd } = head;
    this.#inlet.tookHead(block.read);
    if (!this.#patience.headCame(block.read)) return CODE.calm;
    const stream = this.#streams.get(id);
    if (stream === undefined && this.isServer && this.#isUnknown(id)) return this.#asked(head);
    if (stream === undefined || stream.isWhole) return this.#late(id, stream);
    if (block.fault !== undefined) return stream.fault(CODE.protocol);
    stream.fieldsCame(block, isEnd);
    return CODE.none;
  }

  #asked({ stream: id, block, isEnd }: Head): number {
    const { serves } = this.#options;
    if (id % 2 === 0 || serves === undefined) return CODE.protocol;
    this.#lastId = id;
    const stream = this.#made(id);
    const isTooMany = this.#streams.size > serves.maxStreams || this.#isRetired;
    if (isTooMany) return stream.fault(CODE.refused);
    if (block.fault === 'malformed') return stream.fault(CODE.protocol);
    stream.asked(isEnd, block.bytes);
    serves.asked(stream, block, isEnd);
    return CODE.none;
  }

  #reset(id: number, payload: Buffer): number {
    if (payload.length !== 4) return CODE.size;
    if (this.#isUnknown(id)) return CODE.protocol;
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#idle();
    stream.broke(payload.readUInt32BE(0));
    this.inVain();
    return CODE.none;
  }

  #settings(flags: number, payload: Buffer): number {
    if ((flags & FLAG.ack) !== 0) {
      if (payload.length > 0) return CODE.size;
      return this.#hasSettings ? this.#idle() : CODE.protocol;
    }
    const settings = settingsIn(payload, this.isServer);
    if (typeof settings === 'number') return settings;
    let firstWindow = this.#firstWindow;
    for (const [name, value] of settings) {
      if (name === SETTING.table) this.#saysNoTable = true;
      if (name === SETTING.streams) this.#maxStreams = value;
      if (name === SETTING.window) firstWindow = value;
    }
    // Before all that goes out by it: until then some hold this side to what they had said before.
    this.out.frame(FRAME.settings, FLAG.ack, 0, 0);
    this.touched();
    const code = this.#firstWindowIs(firstWindow);
    if (code !== CODE.none) return code;
    const isFirst = !this.#hasSettings;
    this.#hasSettings = true;
    if (isFirst) this.#options.greeted?.();
    return this.#idle();
  }

  /** Each of the streams has to hear of it where it is another: once, however often it is said at a time. */
  #firstWindowIs(bytes: number): number {
    const more = bytes - this.#firstWindow;
    if (more === 0) return CODE.none;
    if (!this.#patience.toldToAll(this.#streams.size)) return CODE.calm;
    this.#firstWindow = bytes;
    for (const stream of [...this.#streams.values()]) {
      if (!stream.widen(more)) return CODE.flow;
      stream.flow();
    }
    return CODE.none;
  }

  #window(id: number, payload: Buffer): number {
    if (payload.length !== 4) return CODE.size;
    if (!this.#patience.widened(this.out.bodies + this.#requests)) return CODE.calm;
    const bytes = payload.readUInt32BE(0) & MAX_WINDOW;
    if (id !== 0) return this.#windowOf(id, bytes);
    this.sendWindow += bytes;
    if (this.sendWindow > MAX_WINDOW) return CODE.flow;
    // Each in its turn, as far as that reaches: who is not over yet comes after all others.
    for (const stream of this.#blocked) {
      if (this.sendWindow <= 0) break;
      this.#blocked.delete(stream);
      stream.flow();
    }
    return bytes === 0 ? CODE.protocol : CODE.none;
  }

  #windowOf(id: number, bytes: number): number {
    if (this.#isUnknown(id)) return CODE.protocol;
    const stream = this.#streams.get(id);
    if (stream === undefined) return CODE.none;
    if (bytes === 0) return stream.fault(CODE.protocol);
    if (!stream.widen(bytes)) return stream.fault(CODE.flow);
    stream.flow();
    return CODE.none;
  }

  #leaves(payload: Buffer): number {
    if (payload.length < 8) return CODE.size;
    // It is about what is asked from here: who asks may have more on its way, and closes when that is over.
    if (this.isServer) return this.#idle();
    const last = payload.readUInt32BE(0) & MAX_WINDOW;
    if (!this.#isRetired) this.#retired();
    // Of these it has done nothing.
    for (const stream of [...this.#streams.values()]) {
      if (stream.id > last) stream.broke(CODE.refused);
    }
    return this.#idle();
  }

  #retired(): void {
    this.#isRetired = true;
    this.#options.retired();
    this.#endIfEmpty();
  }

  #fail(code: number): void {
    if (this.#isClosed) return;
    this.#farewell.goaway(this.#lastId, code);
    this.#over(code);
    this.#outlet.end();
  }

  #endIfEmpty(): void {
    if (!this.#isRetired || this.#isClosed || this.#streams.size > 0) return;
    this.#over(CODE.none);
    this.#outlet.end();
  }

  #over(code: number): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const stream of [...this.#streams.values()]) stream.broke(code);
    this.#options.closed();
  }
}

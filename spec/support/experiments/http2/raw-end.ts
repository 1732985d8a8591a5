/** An end of a connection that says whatever it likes, and keeps account of what the other says. */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { FLAG, FRAME, FrameReader } from '../../../../sidecar/http/h2/frames.ts';
import { HpackReader } from '../../../../sidecar/http/h2/hpack.ts';
import { PREFACE, SETTING } from '../../../../sidecar/http/h2/settings.ts';
import { framed } from '../../servers/raw-h2.ts';

const FIRST_WINDOW = 65_535;

export interface Said {
  heads: string[][];
  bytes: number;
  readonly digest: ReturnType<typeof createHash>;
  hasEnded: boolean;
  code: number | undefined;
}

export class RawEnd {
  readonly socket: Socket;
  readonly said = new Map<number, Said>();
  /** What nobody may do, whatever is said to him. */
  readonly faults: string[] = [];
  goaway: number | undefined;
  isOver = false;
  pings = 0;
  greetings = 0;
  acks = 0;
  readonly #frames = new FrameReader();
  readonly #heads = new HpackReader(1 << 20);
  readonly #windows = new Map<number, number>();
  /** Counts from the moment at which the other side says that it has heard it. */
  #firstWindow = FIRST_WINDOW;
  readonly #unheard: number[] = [];
  #window = FIRST_WINDOW;
  #preface: number;
  #block: Buffer[] = [];

  /** `isHost`: the other side is to begin with the greeting. */
  constructor(socket: Socket, isHost: boolean) {
    this.socket = socket;
    this.#preface = isHost ? PREFACE.length : 0;
    socket.on('error', () => undefined);
    socket.on('end', () => {
      this.isOver = true;
      socket.end();
    });
    socket.on('close', () => {
      this.isOver = true;
    });
    socket.on('data', (chunk: Buffer) => this.#came(chunk));
  }

  say(bytes: Buffer): void {
    if (!this.socket.writableEnded && !this.socket.destroyed) this.socket.write(bytes);
  }

  /** What may come: the other side is held to the largest of what it can have heard. */
  allowed(frames: Buffer): void {
    for (let at = 0; at + 9 <= frames.length; at += 9 + frames.readUIntBE(at, 3)) {
      const [type, flags] = [frames[at + 3], frames[at + 4]];
      const payload = frames.subarray(at + 9, at + 9 + frames.readUIntBE(at, 3));
      const id = frames.readUInt32BE(at + 5) & 0x7fffffff;
      if (type === FRAME.settings && flags === 0) this.#allowedFirst(payload);
      if (type !== FRAME.window || payload.length !== 4) continue;
      const more = payload.readUInt32BE(0) & 0x7fffffff;
      if (id === 0) this.#window += more;
      else this.#windows.set(id, (this.#windows.get(id) ?? 0) + more);
    }
  }

  #allowedFirst(payload: Buffer): void {
    let window = this.#unheard.at(-1) ?? this.#firstWindow;
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      if (payload.readUInt16BE(at) === SETTING.window) window = payload.readUInt32BE(at + 2);
    }
    this.#unheard.push(window);
  }

  #came(chunk: Buffer): void {
    const from = Math.min(this.#preface, chunk.length);
    this.#preface -= from;
    const isWell = this.#frames.push(chunk.subarray(from), (type, flags, id, payload) => {
      this.#frame(type, flags, id, payload);
      return true;
    });
    if (!isWell) this.faults.push('a frame that is too long');
  }

  #frame(type: number, flags: number, id: number, payload: Buffer): void {
    const isAck = (flags & FLAG.ack) !== 0;
    if (type === FRAME.settings && !isAck) {
      this.greetings++;
      this.say(framed(FRAME.settings, FLAG.ack, 0));
    } else if (type === FRAME.settings) {
      this.acks++;
      this.#firstWindow = this.#unheard.shift() ?? this.#firstWindow;
    }
    if (type === FRAME.ping && isAck) this.pings++;
    else if (type === FRAME.ping) this.say(framed(FRAME.ping, FLAG.ack, 0, payload));
    else if (type === FRAME.goaway)
      this.goaway = Math.max(this.goaway ?? 0, payload.readUInt32BE(4));
    else if (type === FRAME.head || type === FRAME.more) this.#head(type, flags, id, payload);
    else if (type === FRAME.data) this.#data(flags, id, payload);
    else if (type === FRAME.reset) this.of(id).code = payload.readUInt32BE(0);
  }

  of(id: number): Said {
    const made: Said = {
      ...{ heads: [], bytes: 0, hasEnded: false, code: undefined },
      digest: createHash('sha1'),
    };
    const said = this.said.get(id) ?? made;
    this.said.set(id, said);
    return said;
  }

  #head(type: number, flags: number, id: number, payload: Buffer): void {
    const said = this.of(id);
    if (said.code !== undefined || said.hasEnded) this.faults.push(`a head after the end of ${id}`);
    if (type === FRAME.head && (flags & FLAG.end) !== 0) said.hasEnded = true;
    const padding = (flags & FLAG.padded) !== 0 ? (payload[0] as number) + 1 : 0;
    const skip = (padding > 0 ? 1 : 0) + ((flags & FLAG.priority) !== 0 ? 5 : 0);
    const padded =
      type === FRAME.head
        ? payload.subarray(skip, payload.length - Math.max(0, padding - 1))
        : payload;
    this.#block.push(padded);
    if ((flags & FLAG.endOfHead) === 0) return;
    const block = this.#heads.read(Buffer.concat(this.#block));
    this.#block = [];
    if (block?.fault !== undefined || block === undefined)
      this.faults.push(`a head that cannot be read of ${id}`);
    said.heads.push([...(block?.fields ?? [])]);
  }

  #data(flags: number, id: number, payload: Buffer): void {
    const said = this.of(id);
    if (said.code !== undefined || said.hasEnded) this.faults.push(`a body after the end of ${id}`);
    if (said.heads.length === 0) this.faults.push(`a body before a head of ${id}`);
    const padding = (flags & FLAG.padded) !== 0 ? (payload[0] as number) + 1 : 0;
    const part = payload.subarray(padding > 0 ? 1 : 0, payload.length - Math.max(0, padding - 1));
    said.bytes += part.length;
    said.digest.update(part);
    if ((flags & FLAG.end) !== 0) said.hasEnded = true;
    this.#window -= payload.length;
    const spent = (this.#windows.get(id) ?? 0) - payload.length;
    this.#windows.set(id, spent);
    // A window that was narrowed may be below nothing: then nothing goes.
    const isOver = this.#window < 0 || spent + this.#firstWindow < 0;
    if (isOver && payload.length > 0) this.faults.push(`more than the windows let of ${id}`);
  }
}

/** A client's connections, which it opens again whenever one ends: what was asked is asked again. */
import { connect, type Socket } from 'node:net';
import { Framing } from '../compare/framing.ts';

/** Sooner, and thousands of them would keep a server from coming back. */
const AGAIN_MS = 250;
/** All read into one buffer: Node would take another for each read, and collect them while others are due. */
const TAKEN = Buffer.alloc(256 * 1024);

export class Connection {
  readonly #port: number;
  readonly #onBytes: (bytes: Buffer) => void;
  readonly #framing = new Framing();
  #socket: Socket | undefined;
  #isEnded = false;
  #asked: { readonly request: string; readonly tell: (head: string) => void } | undefined;

  /** `onBytes`: what comes, for whoever looks for something in it at once. */
  constructor(port: number, onBytes: (bytes: Buffer) => void = () => undefined) {
    this.#port = port;
    this.#onBytes = onBytes;
    this.#open();
  }

  /** The head of the answer; one at a time. */
  ask(request: string): Promise<string> {
    return new Promise((tell) => {
      this.#asked = { request, tell };
      this.#socket?.write(request);
    });
  }

  end(): void {
    this.#isEnded = true;
    this.#socket?.destroy();
  }

  #open(): void {
    if (this.#isEnded) return;
    const take = (length: number) => {
      this.#take(TAKEN.subarray(0, length));
      return true;
    };
    const onread = { buffer: TAKEN, callback: take };
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true, onread });
    socket.once('connect', () => {
      this.#socket = socket;
      if (this.#asked !== undefined) socket.write(this.#asked.request);
    });
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.#socket = undefined;
      this.#framing.forget();
      setTimeout(() => this.#open(), AGAIN_MS);
    });
  }

  #take(bytes: Buffer): void {
    this.#onBytes(bytes);
    const head = this.#framing.take(bytes);
    const asked = this.#asked;
    if (head === undefined || asked === undefined) return;
    this.#asked = undefined;
    asked.tell(head);
  }
}

/** So many connections, for requests that come faster than they are answered. */
export class Pool {
  readonly #all: readonly Connection[];
  readonly #idle: Connection[];
  readonly #waiting: (() => void)[] = [];

  constructor(ports: readonly number[], size: number) {
    this.#all = Array.from(
      { length: size },
      (_, i) => new Connection(ports[i % ports.length] as number),
    );
    this.#idle = [...this.#all];
  }

  async ask(request: string): Promise<string> {
    while (this.#idle.length === 0)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const connection = this.#idle.shift() as Connection;
    const head = await connection.ask(request);
    this.#idle.push(connection);
    this.#waiting.shift()?.();
    return head;
  }

  end(): void {
    for (const connection of this.#all) connection.end();
  }
}

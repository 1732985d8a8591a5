/**
 * The lean client of the fan-out rows, in a process of its own: many sockets that each wait for one
 * change, and as little parsing as tells when an answer is whole. Reports when the last one has it.
 */
import { connect, type Socket } from 'node:net';
import process from 'node:process';

const HEAD_END = '\r\n\r\n';
const CHUNKED_END = Buffer.from('0\r\n\r\n');
/** Sockets that connect at a time; more would overflow what the system queues. */
const CONNECTING = 200;

export interface Order {
  readonly port: number;
  readonly path: string;
  readonly count: number;
}

class Watching {
  readonly socket: Socket;
  onAnswer: (head: string) => void = () => undefined;
  #head = '';
  #left = Number.NaN;
  #tail = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  #take(chunk: Buffer): void {
    let body = chunk;
    if (Number.isNaN(this.#left) && this.#head === '') {
      const at = chunk.indexOf(HEAD_END);
      this.#head = chunk.toString('latin1', 0, at + HEAD_END.length);
      const length = /content-length: (\d+)/i.exec(this.#head)?.[1];
      this.#left = length === undefined ? Number.NaN : Number(length);
      body = chunk.subarray(at + HEAD_END.length);
    }
    if (Number.isNaN(this.#left)) {
      this.#tail = Buffer.concat([this.#tail, body]).subarray(-CHUNKED_END.length);
      if (this.#tail.equals(CHUNKED_END)) this.#end();
    } else {
      this.#left -= body.length;
      if (this.#left <= 0) this.#end();
    }
  }

  #end(): void {
    const head = this.#head;
    this.#head = '';
    this.#left = Number.NaN;
    this.#tail = Buffer.alloc(0);
    this.onAnswer(head);
  }
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

async function open(port: number): Promise<Watching> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return new Watching(socket);
}

function ask(watching: Watching, path: string): Promise<string> {
  return new Promise((resolve) => {
    watching.onAnswer = resolve;
    watching.socket.write(get(path));
  });
}

async function watch({ port, path, count }: Order): Promise<void> {
  const all: Watching[] = [];
  while (all.length < count) {
    const some = Math.min(CONNECTING, count - all.length);
    all.push(...(await Promise.all(Array.from({ length: some }, () => open(port)))));
  }
  // Each has asked once before it waits, as every client has.
  let index = '';
  for (let at = 0; at < count; at += CONNECTING) {
    const heads = await Promise.all(all.slice(at, at + CONNECTING).map((each) => ask(each, path)));
    index = /x-consul-index: (\d+)/i.exec(heads[0] ?? '')?.[1] ?? '';
  }
  let left = count;
  for (const each of all) {
    each.onAnswer = () => {
      if (--left > 0) return;
      process.send?.({ lastAt: String(process.hrtime.bigint()) });
    };
    each.socket.write(get(`${path}${path.includes('?') ? '&' : '?'}index=${index}&wait=10m`));
  }
  process.send?.({ waiting: true });
}

process.on('message', (order: Order) => void watch(order));

/**
 * The lean client of the fan-out rows, in a process of its own: many sockets that each wait for one
 * change, and as little parsing as tells when an answer is whole. Reports when the last one has it.
 */
import { connect, type Socket } from 'node:net';
import process from 'node:process';
import { Framing } from './framing.ts';

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
  readonly #framing = new Framing();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      const head = this.#framing.take(chunk);
      if (head !== undefined) this.onAnswer(head);
    });
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

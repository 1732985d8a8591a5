/** What Redis answers, and its wire form. Texts are strings of bytes (latin1), as everything here. */
import type { SimSocket } from '../world/sockets.ts';

export class Status {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export class RedisError extends Error {}

/** Something that a real Redis does and this one does not: the run ends, and says so. */
export class Lacking extends Error {
  constructor(what: string) {
    super(`the simulated Redis knows no ${what}: see spec/sim/redis/`);
  }
}

export type Reply = string | number | null | Status | RedisError | readonly Reply[];

export const OK = new Status('OK');

/** To who is still there. */
export function say(socket: Pick<SimSocket, 'destroyed' | 'put'>, reply: Reply): void {
  if (!socket.destroyed) socket.put(Buffer.from(textOf(reply), 'latin1'));
}

function textOf(reply: Reply): string {
  if (reply === null) return '$-1\r\n';
  if (typeof reply === 'string') return `$${reply.length}\r\n${reply}\r\n`;
  if (typeof reply === 'number') return `:${reply}\r\n`;
  if (reply instanceof Status) return `+${reply.text}\r\n`;
  if (reply instanceof RedisError) return `-${reply.message}\r\n`;
  return `*${reply.length}\r\n${reply.map(textOf).join('')}`;
}

/** Takes requests apart as they come: arrays of bulk strings, as every client sends them. */
export class RequestReader {
  #rest = '';

  *add(chunk: Buffer): Generator<string[]> {
    this.#rest += chunk.toString('latin1');
    for (;;) {
      const read = readRequest(this.#rest);
      if (read === undefined) return;
      this.#rest = this.#rest.slice(read.length);
      yield read.words;
    }
  }
}

function readRequest(text: string): { words: string[]; length: number } | undefined {
  let at = text.indexOf('\r\n');
  if (at < 0) return undefined;
  const count = Number(text.slice(1, at));
  at += 2;
  const words: string[] = [];
  for (let i = 0; i < count; i++) {
    const end = text.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const size = Number(text.slice(at + 1, end));
    const from = end + 2;
    if (text.length < from + size + 2) return undefined;
    words.push(text.slice(from, from + size));
    at = from + size + 2;
  }
  return { words, length: at };
}

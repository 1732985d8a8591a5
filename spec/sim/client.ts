/** A client of the world: its machine, its connections, and requests that it gives up in time. */
import { Agent, request } from 'node:http';
import type { Machine } from './world/machine.ts';
import type { World } from './world/world.ts';

export interface Answer {
  readonly status: number;
  readonly index: number;
  readonly text: string;
  readonly bytes: Buffer;
  /** Of a write that was refused for want of somebody to do it: whether it was done. */
  readonly applied: string | undefined;
  /** How old it may be, as whoever gave it says. */
  readonly lastContactMs: number;
}

export interface AskOptions {
  readonly body?: string | Buffer;
  readonly timeoutMs?: number;
  /** Who asks; nobody without it. */
  readonly token?: string;
  /** In which forms the body is, and the answer is to be; any without it. */
  readonly form?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What was asked, and what came of it. */
export interface Asked extends AskOptions {
  readonly port: number;
  readonly method: string;
  readonly path: string;
}

export type OnAnswer = (asked: Asked, answer: Answer | undefined, tookMs: number) => void;

export class SimClient {
  readonly machine: Machine;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #world: World;
  readonly #onAnswer: OnAnswer;

  constructor(world: World, name: string, onAnswer: OnAnswer = () => undefined) {
    this.#world = world;
    this.machine = world.machine(name);
    this.#onAnswer = onAnswer;
  }

  /** Runs what a client does on its machine. */
  run<T>(fn: () => Promise<T>): Promise<T> {
    return this.#world.on(this.machine, fn);
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#world.at(this.machine, ms, resolve));
  }

  /** Undefined where no answer came within the time: nobody knows what was done. */
  async ask(
    port: number,
    method: string,
    path: string,
    options: AskOptions = {},
  ): Promise<Answer | undefined> {
    const asked = { ...options, port, method, path };
    const from = this.#world.now;
    const answer = await this.#send(asked);
    this.#onAnswer(asked, answer, this.#world.now - from);
    return answer;
  }

  #send({ port, method, path, body, timeoutMs = 3000, token, form, headers: more }: Asked) {
    const headers = {
      ...more,
      ...(token !== undefined && { 'x-consul-token': token }),
      ...(form !== undefined && { accept: form, 'content-type': form }),
      // Node says nothing of the body of a DELETE by itself.
      ...(method === 'DELETE' && { 'content-length': Buffer.byteLength(body ?? '') }),
    };
    return new Promise<Answer | undefined>((resolve) => {
      const sent = request(
        { host: '127.0.0.1', port, method, path, agent: this.#agent, headers },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('error', () => settle(undefined));
          response.on('end', () => {
            const bytes = Buffer.concat(parts);
            const text = bytes.toString();
            const index = Number(response.headers['x-consul-index'] ?? 0);
            const applied = response.headers['x-proconsul-applied']?.toString();
            const lastContactMs = Number(response.headers['x-consul-lastcontact'] ?? 0);
            const status = response.statusCode ?? 0;
            settle({ status, index, text, bytes, applied, lastContactMs });
          });
        },
      );
      const cancel = this.#world.at(this.machine, timeoutMs, () => {
        settle(undefined);
        sent.destroy();
      });
      const settle = (answer: Answer | undefined) => {
        cancel();
        resolve(answer);
      };
      sent.on('error', () => settle(undefined));
      sent.end(body);
    });
  }
}

/** A client of the world: its machine, its connections, and requests that it gives up in time. */
import { Agent, request } from 'node:http';
import type { Machine } from './world/machine.ts';
import type { World } from './world/world.ts';

export interface Answer {
  readonly status: number;
  readonly index: number;
  readonly text: string;
}

export interface AskOptions {
  readonly body?: string;
  readonly timeoutMs?: number;
  /** Who asks; nobody without it. */
  readonly token?: string;
  /** In which forms the body is, and the answer is to be; any without it. */
  readonly form?: string;
}

export class SimClient {
  readonly machine: Machine;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #world: World;

  constructor(world: World, name: string) {
    this.#world = world;
    this.machine = world.machine(name);
  }

  /** Runs what a client does on its machine. */
  run<T>(fn: () => Promise<T>): Promise<T> {
    return this.#world.on(this.machine, fn);
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#world.at(this.machine, ms, resolve));
  }

  /** Undefined where no answer came within the time: nobody knows what was done. */
  ask(
    port: number,
    method: string,
    path: string,
    { body, timeoutMs = 3000, token, form }: AskOptions = {},
  ): Promise<Answer | undefined> {
    const headers = {
      ...(token !== undefined && { 'x-consul-token': token }),
      ...(form !== undefined && { accept: form, 'content-type': form }),
    };
    return new Promise((resolve) => {
      const sent = request(
        { host: '127.0.0.1', port, method, path, agent: this.#agent, headers },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('error', () => settle(undefined));
          response.on('end', () => {
            const text = Buffer.concat(parts).toString();
            const index = Number(response.headers['x-consul-index'] ?? 0);
            settle({ status: response.statusCode ?? 0, index, text });
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

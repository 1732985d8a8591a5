/** Whoever is to hear of changes: its machine, what it was told, and how it answers. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { NotifyTarget } from '../../lib/config/keys/notify.ts';
import type { ServiceStatus } from '../../server/notice-commands.ts';
import type { Machine } from './world/machine.ts';
import type { World } from './world/world.ts';

const PORT = 9900;
export const DESK = 'desk';
export const DEBOUNCE_MS = 1000;

export const DESK_TARGET: NotifyTarget = {
  name: DESK,
  services: ['notice-*'],
  on: ['critical', 'warning', 'passing', 'gone', 'new'],
  debounceMs: DEBOUNCE_MS,
  timeoutMs: 3000,
  way: { kind: 'webhook', url: `http://127.0.0.1:${PORT}/`, headers: {}, skipVerify: false },
};

export interface Told {
  readonly Service: string;
  readonly From: ServiceStatus;
  readonly To: ServiceStatus;
}

/** What it does with a notice that it has read. */
export type Mood = 'takes' | 'takes and says nothing' | 'is busy';

export class Desk {
  readonly machine: Machine;
  mood: () => Mood = () => 'takes';
  onTold: (told: Told) => void = () => undefined;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    this.machine = world.machine(DESK);
  }

  async open(): Promise<void> {
    await this.#world.on(this.machine, () => {
      createServer((request, response) => void this.#take(request, response)).listen({
        port: PORT,
      });
    });
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    // Who tells may die meanwhile.
    request.on('error', () => undefined);
    request.on('data', (part: Buffer) => parts.push(part));
    await new Promise((resolve) => request.once('end', resolve));
    const mood = this.mood();
    if (mood !== 'is busy') {
      const { Notices } = JSON.parse(Buffer.concat(parts).toString()) as { Notices: Told[] };
      for (const told of Notices) this.onTold(told);
    }
    if (mood === 'takes and says nothing') return;
    response.writeHead(mood === 'takes' ? 200 : 503).end();
  }
}

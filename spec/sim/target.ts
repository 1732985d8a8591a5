/** A program that others look at: its machine, and how it answers. */
import { createServer, type ServerResponse } from 'node:http';
import type { CheckStatus } from '../../lib/model.ts';
import type { Machine } from './world/machine.ts';
import type { Network } from './world/network.ts';
import type { World } from './world/world.ts';

/** It hears, and says nothing; nobody listens. */
const [SILENT, GONE] = ['silent', 'gone'] as const;
const CODES = { well: 200, busy: 429, ill: 500 } as const;
export const MOODS = ['well', 'busy', 'ill', SILENT, GONE] as const;
export type Mood = (typeof MOODS)[number];

export class Target {
  readonly port: number;
  readonly #machine: Machine;
  readonly #world: World;
  readonly #network: Network;
  #mood: Mood = GONE;
  #since = 0;

  constructor(world: World, network: Network) {
    this.#world = world;
    this.#network = network;
    this.port = network.freePort();
    this.#machine = world.machine(`t${this.port}`);
  }

  /** How a look at it ends by now; undefined where it was otherwise within that time. */
  status(kind: 'http' | 'tcp', stableMs: number): CheckStatus | undefined {
    if (this.#world.now - this.#since < stableMs) return undefined;
    if (kind === 'tcp') return this.#mood === GONE ? 'critical' : 'passing';
    if (this.#mood === 'well') return 'passing';
    return this.#mood === 'busy' ? 'warning' : 'critical';
  }

  become(mood: Mood): void {
    const before = this.#mood;
    if (mood === before) return;
    this.#mood = mood;
    this.#since = this.#world.now;
    this.#world.say(`${this.#machine.name} is ${mood}`);
    if (mood === GONE) {
      this.#network.killed(this.#machine);
      this.#world.kill(this.#machine);
    } else if (before === GONE) this.#open();
  }

  #open(): void {
    this.#world.at(this.#machine, 0, () => {
      const server = createServer((_, response) => this.#answer(response));
      server.listen({ port: this.port });
    });
  }

  #answer(response: ServerResponse): void {
    response.on('error', () => undefined);
    const mood = this.#mood;
    if (mood !== SILENT && mood !== GONE)
      response.writeHead(CODES[mood]).end(`${mood} ${this.port}`);
  }
}

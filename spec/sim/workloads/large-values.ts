/**
 * Values so large that a list of them goes out in pieces, to clients many of whom give it up. An answer is
 * whole or none, each value in it is one that was written, and the room that they took is given back.
 */
import type { SimClient } from '../client.ts';
import { Clients } from './clients.ts';
import type { Row } from './sightings.ts';

const CLIENTS = 2;
const KEYS = 3;
const PAUSE_MS = 1500;
const VALUE_BYTES = 150_000;
const WAIT_S = 2;
/** Some give up while the answer is made, some while it is on its way. */
const MAX_PATIENCE_MS = 60;
const PATIENT_MS = 5000;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

export class LargeValues extends Clients {
  async run(untilMs: number): Promise<void> {
    await this.each('big', CLIENTS, (client) => this.#work(client, untilMs));
  }

  async #work(client: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    let index = 0;
    while (world.now < untilMs) {
      if (world.random.next() < 0.4) await this.#write(client);
      else index = await this.#read(client, world.random.next() < 0.3 ? index : 0);
      // In calm too: what is given up has to be given back whatever else happens.
      await client.pause(2 * PAUSE_MS * world.random.next());
    }
  }

  async #write(client: SimClient): Promise<void> {
    const { random } = this.cluster.world;
    const letter = LETTERS[Math.floor(random.next() * LETTERS.length)] ?? 'a';
    const key = Math.floor(random.next() * KEYS);
    const body = letter.repeat(VALUE_BYTES);
    await client.ask(this.anyPort(), 'PUT', `/v1/kv/large/${key}`, { body });
  }

  /** The index of the answer, for the next one. */
  async #read(client: SimClient, index: number): Promise<number> {
    const { random } = this.cluster.world;
    const isPatient = random.next() < 0.5;
    const timeoutMs = isPatient ? PATIENT_MS : 1 + random.next() * MAX_PATIENCE_MS;
    const wait = index === 0 ? '' : `&index=${index}&wait=${WAIT_S}s`;
    const path = `/v1/kv/large/?recurse${wait}`;
    const answer = await client.ask(this.anyPort(), 'GET', path, { timeoutMs });
    if (answer?.status !== 200) return 0;
    for (const { Key, Value } of JSON.parse(answer.text) as Row[]) {
      const value = Buffer.from(Value ?? '', 'base64').toString();
      if (value.length === VALUE_BYTES && value === value[0]?.repeat(VALUE_BYTES)) continue;
      this.violations.add('a large value is not one that was written', `${Key}: ${value.length}`);
    }
    return answer.index;
  }
}

/**
 * Archives of everything that are saved, and put in place of everything later, while sessions live. After each
 * there is what was there when it was saved, and no more; a session that is renewed lives, and in the end none
 * is left that nobody renews.
 */
import type { SimClient } from '../client.ts';
import { Clients } from './clients.ts';
import type { Row } from './sightings.ts';

const KEYS = 4;
const PAUSE_MS = 300;
const LONG_MS = 12_000;
/** By then whoever was about to restore one has done so, or never will. */
const SETTLED_MS = 30_000;
const KEPT = 3;
const TTL_S = 5;
const RENEW_MS = 1000;
const RETRY_MS = 200;
const WAIT_S = 4;

interface Archive {
  readonly bytes: Buffer;
  readonly folder: string;
  readonly keys: ReadonlyMap<string, string>;
  readonly at: number;
}

export class Archives extends Clients {
  #archives: readonly Archive[] = [];
  #folder = 'arc-0';
  #keys = new Map<string, string>();
  #made = 0;
  /** From when on a restore was under way last, and until when. */
  #restoring = { from: Number.NEGATIVE_INFINITY, to: Number.NEGATIVE_INFINITY };
  /** When the oldest of the archives was saved that may have been restored since. */
  #sessions = 0;

  async run(untilMs: number): Promise<void> {
    await Promise.all([
      this.as('arc', (client) => this.#work(client, untilMs)),
      this.as('keeper', (client) => this.#keep(client, untilMs)),
      this.each('heeds', 2, (client, i) => this.#watch(client, i, untilMs)),
    ]);
  }

  async look(): Promise<void> {
    for (const { machine, process } of this.cluster.servers) {
      const left = [...(process?.state.sessions.on('arc') ?? [])].length;
      if (left === 0) continue;
      this.violations.add('sessions are left that nobody renews', `${left} at ${machine.name}`);
    }
  }

  async #work(client: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    while (world.now < untilMs) {
      const chance = world.random.next();
      if (chance < 0.5) await this.#write(client);
      else if (chance < 0.75) await this.#read(client);
      else if (chance < 0.88) await this.#save(client);
      else await this.#restore(client);
      await this.rest(client, PAUSE_MS);
    }
  }

  /** What nobody knows is left alone: it may be done at any time, also after an archive of that folder was put in place. */
  #beginAnew(): void {
    this.#archives = this.#archives.filter(({ folder }) => folder !== this.#folder);
    this.#folder = `arc-${++this.#made}`;
    this.#keys = new Map();
  }

  async #write(client: SimClient): Promise<void> {
    const key = `${Math.floor(this.cluster.world.random.next() * KEYS)}`;
    const value = `v${++this.#made}`;
    const path = `/v1/kv/${this.#folder}/${key}`;
    const answer = await client.ask(this.anyPort(), 'PUT', path, { body: value });
    if (answer?.status === 200) this.#keys.set(key, value);
    else this.#beginAnew();
  }

  async #read(client: SimClient): Promise<void> {
    const { splits } = this.cluster;
    const folder = this.#folder;
    const path = `/v1/kv/${folder}/?recurse${splits ? '&consistent' : ''}`;
    const answer = await client.ask(this.anyPort(), 'GET', path);
    if (answer?.status !== 200 && answer?.status !== 404) return;
    const rows = answer.status === 404 ? [] : (JSON.parse(answer.text) as Row[]);
    const found = rows.map(({ Key, Value }) => {
      return `${Key.slice(folder.length + 1)} ${Buffer.from(Value ?? '', 'base64')}`;
    });
    const expected = [...this.#keys].map(([key, value]) => `${key} ${value}`);
    if (found.sort().join() === expected.sort().join()) return;
    const what = `${folder}: ${found}, not ${expected}`;
    this.violations.add('there is something else than was restored, or written since', what);
  }

  async #save(client: SimClient): Promise<void> {
    const { world, splits } = this.cluster;
    const path = `/v1/snapshot${splits ? '?consistent' : ''}`;
    const before = { folder: this.#folder, keys: new Map(this.#keys), at: world.now };
    const answer = await client.ask(this.anyServer(), 'GET', path, { timeoutMs: LONG_MS });
    if (answer?.status !== 200) return;
    this.#archives = [...this.#archives, { ...before, bytes: answer.bytes }].slice(-KEPT);
  }

  async #restore(client: SimClient): Promise<void> {
    const { world } = this.cluster;
    const archive = this.#archives[Math.floor(world.random.next() * this.#archives.length)];
    if (archive === undefined) return;
    const { bytes, folder, keys, at } = archive;
    this.#restoring = { from: world.now, to: Number.POSITIVE_INFINITY };
    this.#sessions = Math.min(this.#sessions, at);
    const sent = { body: bytes, timeoutMs: LONG_MS };
    const answer = await client.ask(this.anyServer(), 'PUT', '/v1/snapshot', sent);
    world.say(`an archive of ${at.toFixed(0)} is restored: ${answer?.status ?? 'no answer'}`);
    if (answer?.status === 200) {
      this.#folder = folder;
      this.#keys = new Map(keys);
    } else {
      await client.pause(SETTLED_MS);
      this.#archives = [];
      this.#beginAnew();
    }
    this.#restoring.to = world.now;
  }

  /** A session that every archive has which was saved since, and so none that is restored takes away. */
  async #keep(client: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    let session: string | undefined;
    let since = 0;
    for (let port = this.anyServer(); world.now < untilMs; ) {
      if (session === undefined) {
        session = await this.#begin(client, port);
        since = world.now;
        this.#sessions = world.now;
      } else {
        const path = `/v1/session/renew/${session}`;
        const answer = await client.ask(port, 'PUT', path, { timeoutMs: 1000 });
        if (answer?.status === 404) {
          this.#judgeGone(session, since);
          session = undefined;
        } else if (answer?.status !== 200) port = this.nextServer(port);
      }
      await client.pause(session === undefined ? RETRY_MS : RENEW_MS);
    }
  }

  #judgeGone(session: string, since: number): void {
    const { world, mayEndLeases } = this.cluster;
    const isTakenAway = this.#sessions < since || this.#restoring.to > world.now - RENEW_MS * 2;
    if (isTakenAway || mayEndLeases) return;
    this.violations.add('a session that is renewed is gone', session);
  }

  async #begin(client: SimClient, port: number): Promise<string | undefined> {
    const node = JSON.stringify({ Node: 'arc', Address: '10.9.0.1' });
    await client.ask(port, 'PUT', '/v1/catalog/register', { body: node });
    const body = JSON.stringify({ Node: 'arc', TTL: `${TTL_S}s`, Checks: [], NodeChecks: [] });
    const made = await client.ask(port, 'PUT', '/v1/session/create', { body });
    return made?.status === 200 ? (JSON.parse(made.text) as { ID: string }).ID : undefined;
  }

  /** Whose indexes never go back, whatever is restored. */
  async #watch(client: SimClient, number: number, untilMs: number): Promise<void> {
    const { world, splits } = this.cluster;
    const [path = ''] = ['/v1/kv/?keys', '/v1/session/node/arc?a'].slice(number);
    let index = 0;
    while (world.now < untilMs) {
      const how = `${splits ? '&consistent' : ''}&index=${index}&wait=${WAIT_S}s`;
      const sent = { timeoutMs: LONG_MS };
      const answer = await client.ask(this.anyPort(), 'GET', `${path}${how}`, sent);
      if (answer?.status === 200 || answer?.status === 404) index = answer.index;
      else await client.pause(RETRY_MS);
    }
  }
}

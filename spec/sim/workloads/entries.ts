/**
 * Config entries: each client's own is as it was last told that it had made it, by compare-and-set too. And
 * what they share is possible at any moment: whoever leads calls to a subset, on every server it is there.
 */
import type { SimClient } from '../client.ts';
import { Owners } from './owners.ts';

const KIND = 'service-resolver';
/** One that has a subset, or has not; one that leads there, or is not there. */
const [LED_TO, LEADS] = ['entries-to', 'entries-from'];
const SUBSET = 'v1';
const LOOK_MS = 250;
/** More would be written in minutes. */
const MAX_SECONDS = 59;

interface Own {
  readonly entry: string;
  /** Of its timeout, in seconds; undefined where it is not there. */
  seconds: number | undefined;
  /** As it was last seen; undefined where it has changed since. */
  index: number | undefined;
}

interface Entry {
  readonly ConnectTimeout?: string;
  readonly ModifyIndex: number;
}

export class Entries extends Owners<Own> {
  protected readonly name = 'f';
  protected readonly pauseMs = 400;
  #made = 0;

  override async run(untilMs: number): Promise<void> {
    await Promise.all([super.run(untilMs), this.#look(untilMs)]);
  }

  protected async begin(_: SimClient, name: string): Promise<Own> {
    return { entry: `entry-${name}`, seconds: undefined, index: 0 };
  }

  protected async change(client: SimClient, own: Own): Promise<boolean> {
    const { random } = this.cluster.world;
    await this.#share(client);
    if (own.seconds !== undefined && random.next() < 0.2) return await this.#delete(client, own);
    const seconds = 1 + (this.#made++ % MAX_SECONDS);
    const cas = own.index === undefined ? '' : `?cas=${own.index}`;
    const body = { Kind: KIND, Name: own.entry, ConnectTimeout: `${seconds}s` };
    const done = await this.do(client, 'PUT', `/v1/config${cas}`, body);
    if (done === undefined) return false;
    if (!done.startsWith('true')) {
      this.violations.add('what nobody else writes was not as it was seen', own.entry);
    }
    Object.assign(own, { seconds, index: undefined });
    return true;
  }

  protected async ask(client: SimClient, own: Own): Promise<void> {
    const path = `/v1/config/${KIND}/${own.entry}${this.mode}`;
    const answer = await client.ask(this.anyPort(), 'GET', path);
    if (answer === undefined || (answer.status !== 200 && answer.status !== 404)) return;
    const found = answer.status === 404 ? undefined : (JSON.parse(answer.text) as Entry);
    const expected = own.seconds === undefined ? undefined : `${own.seconds}s`;
    own.index = found?.ModifyIndex ?? 0;
    if (found?.ConnectTimeout === expected) return;
    const what = `${own.entry}: ${found?.ConnectTimeout}, not ${expected}`;
    this.violations.add('a config entry is another one', what);
  }

  async #delete(client: SimClient, own: Own): Promise<boolean> {
    const path = `/v1/config/${KIND}/${own.entry}`;
    if ((await this.do(client, 'DELETE', path)) === undefined) return false;
    Object.assign(own, { seconds: undefined, index: undefined });
    return true;
  }

  /** Whatever of it is refused: the others may have been sooner. */
  async #share(client: SimClient): Promise<void> {
    const { random } = this.cluster.world;
    const there = random.next() < 0.5;
    if (random.next() < 0.5) {
      const Subsets = there ? { [SUBSET]: { OnlyPassing: true } } : {};
      await this.do(client, 'PUT', '/v1/config', { Kind: KIND, Name: LED_TO, Subsets });
    } else if (there) {
      const Redirect = { Service: LED_TO, ServiceSubset: SUBSET };
      await this.do(client, 'PUT', '/v1/config', { Kind: KIND, Name: LEADS, Redirect });
    } else await this.do(client, 'DELETE', `/v1/config/${KIND}/${LEADS}`);
  }

  /** From outside, as nobody could. */
  async #look(untilMs: number): Promise<void> {
    const { world, servers } = this.cluster;
    while (world.now < untilMs) {
      for (const { machine, process } of servers) {
        const entries = process?.state.configEntries;
        const to = entries?.get(KIND, LED_TO) as { Subsets?: object } | undefined;
        if (entries?.get(KIND, LEADS) === undefined || Object.hasOwn(to?.Subsets ?? {}, SUBSET))
          continue;
        this.violations.add('calls are led to a subset that is not there', machine.name);
      }
      await world.sleep(LOOK_MS);
    }
  }
}

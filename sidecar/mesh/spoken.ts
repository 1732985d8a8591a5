/** What the service behind this proxy speaks, where its registration does not say it: as its chain does. */
import type { Clock } from '../../lib/clock.ts';
import { inPath } from '../../lib/well-formed.ts';
import { type Agent, follow, type Loss } from '../follow.ts';
import { objectIn, textIn } from '../said.ts';
import { hasNoChain } from '../upstream.ts';

export class Spoken {
  readonly #service: string;
  readonly #changed: () => void;
  #now: string | undefined;
  #tell: () => void = () => undefined;

  constructor(service: string, changed: () => void) {
    this.#service = service;
    this.#changed = changed;
  }

  get now(): string {
    return this.#now ?? 'tcp';
  }

  async follow(agent: Agent, signal: AbortSignal): Promise<void> {
    const path = `/v1/discovery-chain/${inPath(this.#service)}`;
    const take = (json: unknown) => this.#is(textIn(objectIn(objectIn(json)['Chain'])['Protocol']));
    // Upstreams say in the log that an agent is away.
    const lost = ({ why }: Loss) => {
      if (hasNoChain(why)) this.#is(this.now);
    };
    await follow(agent, { path, query: [], take, lost }, signal);
  }

  /** Resolves then, or after so long: a listener that begins with another has to begin again. */
  untilKnown(clock: Pick<Clock, 'after'>, ms: number): Promise<void> {
    if (this.#now !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = clock.after(ms, resolve);
      this.#tell = () => {
        cancel();
        resolve();
      };
    });
  }

  #is(protocol: string): void {
    const [before, now] = [this.#now, protocol || 'tcp'];
    this.#now = now;
    this.#tell();
    if (before !== undefined && before !== now) this.#changed();
  }
}

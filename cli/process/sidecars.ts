/** Proxies that the configuration asks for: each a process of its own, begun anew where it ends by itself. */
import type { ChildProcess } from 'node:child_process';
import { childFault, type Environment, startChild } from '../../lib/child.ts';
import type { Cancel } from '../../lib/clock.ts';
import type { Config } from '../../lib/config/config.ts';
import { messageOf } from '../../lib/errors.ts';
import { hostPort } from '../../lib/ip.ts';
import { retryMs } from '../../lib/retries.ts';
import type { System } from '../../lib/system.ts';
import { SUCCEEDS } from '../successor.ts';
import { Succession } from './succession.ts';

type Definition = Config['sidecars'][number];

export interface SidecarsOptions {
  /** Runs this program with more words. */
  readonly program: readonly string[];
  readonly env: Environment;
  readonly system: System;
}

/** One that ran for so long did not fail at its start. */
const STEADY_MS = 60_000;
const ANYWHERE: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

interface Running {
  child: ChildProcess | undefined;
  cancel: Cancel;
  isWanted: boolean;
  /** As it is begun for the first time, of those that leave. */
  isSuccessor: boolean;
}

export class Sidecars {
  readonly #options: SidecarsOptions;
  /** By what they are: one that stays as it was goes on. */
  readonly #running = new Map<string, Running>();
  /** They take calls until those in their place do. */
  readonly #leaving = new Set<Running>();
  readonly #succession: Succession;

  constructor(options: SidecarsOptions) {
    this.#options = options;
    this.#succession = new Succession(options.system.clock);
  }

  takeOver({ sidecars, listen }: Pick<Config, 'sidecars' | 'listen'>): void {
    const at = doorOf(listen.http);
    const address = at === undefined ? '' : addressOf(at);
    const wanted = new Map(sidecars.map((each) => [JSON.stringify([address, each]), each]));
    const leaving = [...this.#running].filter(([key]) => !wanted.has(key));
    for (const [key, running] of leaving) {
      this.#running.delete(key);
      this.#leaving.add(running);
      // Whatever becomes of it, it is not begun anew.
      running.isWanted = false;
      running.cancel();
    }
    // Of reloads before this one too: who is in their place has nothing yet, where it has only just begun.
    const before = [...this.#leaving].flatMap(({ child }) => child ?? []);
    const begun: Promise<void>[] = [];
    for (const [key, each] of wanted) {
      if (this.#running.has(key)) continue;
      const running: Running = {
        ...{ child: undefined, cancel: () => undefined, isWanted: true },
        isSuccessor: before.length > 0,
      };
      this.#running.set(key, running);
      void this.#keep(running, each, address);
      const { child } = running;
      if (before.length > 0 && child !== undefined) begun.push(this.#succession.of(child, before));
    }
    void Promise.all(begun).then(() => {
      for (const [, running] of leaving) this.#end(running);
    });
  }

  /** They drain by themselves, and end when they have: nobody waits for it. */
  stop(): void {
    const all = [...this.#running.values(), ...this.#leaving];
    this.#running.clear();
    for (const running of all) this.#end(running);
  }

  #end(running: Running): void {
    this.#leaving.delete(running);
    running.isWanted = false;
    running.cancel();
    running.child?.kill('SIGTERM');
  }

  async #keep(running: Running, definition: Definition, address: string): Promise<void> {
    const { clock, random, logger } = this.#options.system;
    for (let failures = 1; running.isWanted; failures++) {
      const begun = clock.monotonic();
      const error = await this.#run(running, definition, address);
      if (!running.isWanted) return;
      if (clock.monotonic() - begun > STEADY_MS) failures = 1;
      const sidecar = definition.words.join(' ');
      logger.error('agent: a sidecar has ended, and is begun anew', { sidecar, error });
      await new Promise<void>((resolve) => {
        const cancel = clock.after(retryMs(failures, random), resolve);
        running.cancel = () => {
          cancel();
          resolve();
        };
      });
    }
  }

  async #run(running: Running, { words, token }: Definition, address: string): Promise<string> {
    const { program, env } = this.#options;
    const command = [...program, 'connect', 'proxy', `-http-addr=${address}`, ...words];
    // Of the agent's own environment nothing is to lead it elsewhere.
    const own = Object.entries(env).filter(([name]) => !name.startsWith('CONSUL_'));
    const secret = token === '' ? {} : { CONSUL_HTTP_TOKEN: token };
    const mark = { [SUCCEEDS]: running.isSuccessor ? '1' : undefined };
    running.isSuccessor = false;
    try {
      // What it reads ends with the agent, however that ends.
      const child = startChild({
        words: [...command, '-end-with-input'],
        shell: false,
        env: { ...Object.fromEntries(own), ...secret, ...mark },
        input: 'open',
        isTold: true,
      });
      running.child = child;
      child.stdin?.on('error', () => undefined);
      return (await childFault(child)) || 'it ended by itself';
    } catch (error) {
      return messageOf(error);
    }
  }
}

/** A socket where there is one: whoever has all connections of an address takes none of those. */
function doorOf(all: Config['listen']['http']): Config['listen']['http'][number] | undefined {
  return all.find((each) => 'path' in each) ?? all[0];
}

function addressOf(at: Config['listen']['http'][number]): string {
  if ('path' in at) return `unix://${at.path}`;
  return hostPort(ANYWHERE[at.host] ?? at.host, at.port);
}

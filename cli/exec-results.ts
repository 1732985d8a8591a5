/** Shows what nodes say of a job, as they say it: by the keys that they write beneath its folder. */
import { systemClock } from '../lib/clock.ts';
import type { ApiClient } from './api-client.ts';
import type { CommandHost } from './command.ts';

/** Values that are read at once. */
const AT_ONCE = 16;
/** Beyond the time that it is asked to wait, an agent may take so long for its answer. */
const ANSWER_MS = 10_000;

export interface ExecResultsOptions {
  readonly client: (signal: AbortSignal) => ApiClient;
  /** The keys' folder, encoded. */
  readonly folder: string;
  /** It is over where nobody says anything for so long; twice that, while a program runs yet. */
  readonly waitMs: number;
  readonly isOver: AbortSignal;
  readonly host: Pick<CommandHost, 'print'>;
}

export interface Outcome {
  readonly acknowledged: number;
  readonly completed: number;
  /** One of them ended with another code than 0. */
  readonly failed: boolean;
}

interface Said {
  readonly node: string;
  readonly what: string;
  readonly value: string;
}

export class ExecResults {
  readonly #options: ExecResultsOptions;
  readonly #seen = new Set<string>();
  readonly #began = systemClock.monotonic();
  #acknowledged = 0;
  #completed = 0;
  #failed = false;

  constructor(options: ExecResultsOptions) {
    this.#options = options;
  }

  get tookMs(): number {
    return systemClock.monotonic() - this.#began;
  }

  /** Resolves when nobody says anything any more. */
  async show(verbose: boolean): Promise<Outcome> {
    const { waitMs, isOver } = this.#options;
    let index = '0';
    let lastNews = systemClock.monotonic();
    while (!isOver.aborted) {
      const quietMs = this.#completed < this.#acknowledged ? 2 * waitMs : waitMs;
      const leftMs = lastNews + quietMs - systemClock.monotonic();
      if (leftMs <= 0) break;
      const names = await this.#names(index, leftMs);
      if (names === undefined) break;
      index = names.index;
      const news = names.keys.filter((key) => !this.#seen.has(key)).sort(exitLast);
      for (let at = 0; at < news.length; at += AT_ONCE) {
        for (const said of await this.#read(news.slice(at, at + AT_ONCE)))
          this.#tell(said, verbose);
      }
      if (news.length > 0) lastNews = systemClock.monotonic();
    }
    return { acknowledged: this.#acknowledged, completed: this.#completed, failed: this.#failed };
  }

  /** Undefined once it is over. */
  async #names(index: string, waitMs: number) {
    const { client, folder, isOver } = this.#options;
    const late = new AbortController();
    const cancel = systemClock.after(waitMs + ANSWER_MS, () => late.abort());
    const query = [
      ['keys', ''],
      ['index', index],
      ['wait', `${Math.ceil(waitMs)}ms`],
    ] as const;
    try {
      const api = client(AbortSignal.any([isOver, late.signal]));
      const answer = await api.send({
        method: 'GET',
        path: `/v1/kv/${folder}/`,
        query,
        accept: [404],
      });
      const keys = answer.status === 404 ? [] : (answer.json as readonly string[]);
      return { index: answer.index, keys };
    } catch (error) {
      if (isOver.aborted) return undefined;
      throw error;
    } finally {
      cancel();
    }
  }

  /** What is new of each; the job itself, and what others write there, is nothing. */
  async #read(keys: readonly string[]): Promise<readonly Said[]> {
    const { client, folder, isOver } = this.#options;
    const api = client(isOver);
    const said = keys.map(async (key): Promise<Said | undefined> => {
      this.#seen.add(key);
      const depth = decodeURIComponent(folder).length + 1;
      const [, node, what] = /^(.+)\/(ack|exit|out\/[\da-f]+)$/s.exec(key.slice(depth)) ?? [];
      if (node === undefined || what === undefined) return undefined;
      if (what === 'ack') return { node, what, value: '' };
      const rest = key.slice(depth).split('/').map(encodeURIComponent).join('/');
      const raw = [['raw', ''] as const];
      const answer = await api.send({
        method: 'GET',
        path: `/v1/kv/${folder}/${rest}`,
        query: raw,
        accept: [404],
      });
      return { node, what, value: answer.status === 404 ? '' : answer.text };
    });
    return (await Promise.all(said)).filter((each) => each !== undefined);
  }

  #tell({ node, what, value }: Said, verbose: boolean): void {
    const { print } = this.#options.host;
    if (what === 'ack') {
      this.#acknowledged++;
      if (verbose) print(`==> ${node}: acknowledged\n`);
    } else if (what === 'exit') {
      this.#completed++;
      if (value !== '0') this.#failed = true;
      print(`==> ${node}: finished with exit code ${value}\n`);
    } else if (value === '') {
      if (verbose) print(`==> ${node}: heartbeat received\n`);
    } else {
      for (const line of value.split('\n')) print(`    ${node}:${line === '' ? '' : ` ${line}`}\n`);
    }
  }
}

/** By name, but for how it ended: that comes after what it said. */
function exitLast(a: string, b: string): number {
  const [first, second] = [a, b].map((key) => key.replace(/\/exit$/, '/~'));
  return (first ?? '') < (second ?? '') ? -1 : 1;
}

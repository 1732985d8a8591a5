/** Programs of one service that come, go, are drained and are killed under load, and what became of the calls to them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { send } from '../servers/start-server.ts';
import { until } from '../until.ts';

const PATIENCE_MS = 60_000;
/** Of several who are called in turn or by chance, whoever has none of so many is called no more. */
const ENOUGH = 64;
/** A call takes one of them some milliseconds. */
const SERVES_MS = '5';
/** After a call that failed the agent is asked what it knows, so often at most. */
const LOOK_MS = 500;

export interface Program {
  readonly name: string;
  readonly port: number;
  readonly process: ChildProcess;
}

export interface Answered {
  /** By `performance.now()`. */
  readonly at: number;
  /** Who answered; '' where the call failed. */
  readonly who: string;
  readonly why: string;
  readonly ms: number;
}

/** What the agent listed, just after a call had failed. */
interface Listed {
  readonly at: number;
  readonly text: string;
}

interface Instance {
  readonly Service: { readonly ID: string };
  readonly Checks: readonly { readonly CheckID: string; readonly Status: string }[];
}

export interface RoundsOptions {
  /** Of the agent at which programs are registered. */
  readonly agent: { readonly port: number };
  /** Beside this file: `BACKEND NAME MS` prints its port, and ends on SIGTERM when its calls have. */
  readonly backend: string;
}

export abstract class Rounds {
  readonly #answers: Answered[] = [];
  readonly #options: RoundsOptions;
  readonly #children = new Set<ChildProcess>();
  readonly #listed: Listed[] = [];
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** So many callers, until `unload`. */
  abstract load(callers: number): void;
  abstract unload(): Promise<void>;

  async stop(): Promise<void> {
    await this.unload();
    for (const child of this.#children) child.kill('SIGKILL');
  }

  async run(name: string): Promise<Program> {
    const backend = fileURLToPath(new URL(this.#options.backend, import.meta.url));
    const child = this.spawn(process.execPath, [backend, name, SERVES_MS]);
    const [line] = await once(child.stdout as NodeJS.ReadableStream, 'data');
    return { name, port: Number(String(line)), process: child };
  }

  /** By the agent, as a deployment does. */
  async register({ name, port }: Program): Promise<void> {
    const body = { ID: name, Name: 'web', Address: '127.0.0.1', Port: port };
    await this.put('/v1/agent/service/register', body);
  }

  async put(path: string, body: object = {}): Promise<void> {
    const { status, text } = await send(this.#options.agent.port, 'PUT', path, { body });
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  }

  /** Calls that ended since then. */
  since(at: number) {
    const all = this.#answers.slice(this.#after(at));
    return { all, failed: all.filter(({ who }) => who === '') };
  }

  /** Milliseconds since then until that one answers. */
  async untilAnswers(name: string, from: number): Promise<number> {
    const first = () => this.since(from).all.find(({ who }) => who === name);
    await until(
      () => first() !== undefined,
      () => `${name} gets no calls`,
      PATIENCE_MS,
    );
    return (first()?.at ?? from) - from;
  }

  /** Until that one has had no call for so long, and the others many: on a busy machine hardly any comes in that time. */
  async untilLeftAlone(name: string, ms: number): Promise<void> {
    const begun = performance.now();
    const isAlone = () => {
      const last = this.#answers.findLast(({ who }) => who === name)?.at ?? begun;
      const from = Math.max(last, begun);
      return performance.now() - from >= ms && this.since(from).all.length > ENOUGH;
    };
    await until(isAlone, () => `${name} still gets calls`, PATIENCE_MS);
  }

  /** What the agent listed since then, as calls failed: each instance with its checks that are not passing. */
  listedSince(at: number): readonly string[] {
    return [...new Set(this.#listed.filter((each) => each.at >= at).map(({ text }) => text))];
  }

  protected answered(answer: Answered): void {
    this.#answers.push(answer);
    if (answer.who !== '' || answer.at - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = answer.at;
    void this.#list(answer.at);
  }

  async #list(at: number): Promise<void> {
    const path = '/v1/health/service/web?stale';
    const { json } = await send(this.#options.agent.port, 'GET', path, {}).catch(() => ({
      json: [],
    }));
    const all = (Array.isArray(json) ? json : []) as readonly Instance[];
    const text = all.map(({ Service, Checks }) => {
      const ill = Checks.filter(({ Status }) => Status !== 'passing');
      return [Service.ID, ...ill.map(({ CheckID, Status }) => `${CheckID} ${Status}`)].join(' ');
    });
    this.#listed.push({ at, text: text.join(', ') || 'nobody' });
  }

  protected spawn(program: string, args: readonly string[]): ChildProcess {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    return child;
  }

  /** They come in the order in which they ended, or nearly. */
  #after(at: number): number {
    let i = this.#answers.length;
    while (i > 0 && (this.#answers[i - 1]?.at ?? 0) >= at) i--;
    return i;
  }
}

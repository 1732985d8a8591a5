/**
 * Lookups of an agent without a server: asked over HTTP, remembered for a moment, and when no
 * server can be asked answered with what was known last.
 */
import { ByteCache } from '../../lib/byte-cache.ts';
import type { Clock } from '../../lib/clock.ts';
import {
  ADDRESS_OWNER_PATH,
  type AddressOwner,
  type Found,
  type HealthEntry,
  type Lookup,
  type Lookups,
  ORDERED_HEADER,
  type QueryFound,
  VIRTUAL_ADDRESS_PATH,
} from '../../lib/dns-lookups.ts';
import { isForbidden, ProconsulError } from '../../lib/errors.ts';
import { decodeJson } from '../../lib/json.ts';
import type { Node } from '../../lib/model.ts';

/** As new as anyone who asks by DNS can expect: a busy name costs one request a second. */
const FRESH_MS = 1000;
/** Who has an old answer gives it out rather than keep a resolver waiting, which gives up soon. */
const PATIENCE_MS = 500;
/** After a failure the servers are left alone for as long. */
const RETRY_MS = 1000;
/** What was asked for longest ago is forgotten first. */
const MAX_REMEMBERED_BYTES = 64 * 1024 * 1024;
/** An answer that was read takes so many times its text. */
const BYTES_A_BYTE = 4;

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Asks a server under a token; rejects when none answers within seconds. */
export type Get = (target: string, token: string) => Promise<Answered>;

export interface HttpLookupsOptions {
  readonly get: Get;
  readonly clock: Clock;
  /** dns_config.allow_stale and max_stale: 0 to give out nothing old. */
  readonly maxStaleMs: number;
  /** Whose rights DNS has, which may change: what one was told is nothing for another. */
  readonly token: () => string;
}

interface Memory {
  readonly token: string;
  readonly value: unknown;
  /** When a server said so. */
  readonly atMs: number;
  /** Until when it is given out without asking. */
  untilMs: number;
}

export class HttpLookups implements Lookups {
  readonly #options: HttpLookupsOptions;
  readonly #memories = new ByteCache<string, Memory>({ maxBytes: MAX_REMEMBERED_BYTES });
  readonly #asking = new Map<string, Promise<Memory>>();

  constructor(options: HttpLookupsOptions) {
    this.#options = options;
  }

  /** How much is remembered, and how much is being asked. */
  get size(): { readonly remembered: number; readonly asking: number } {
    return { remembered: this.#memories.size, asking: this.#asking.size };
  }

  service(name: string, tag: string): Lookup<readonly HealthEntry[]> {
    const looked = this.#look(`/v1/health/service/${encode(name)}`, entriesIn);
    if (tag === '') return looked;
    const wanted = tag.toLowerCase();
    return derive(looked, (entries) =>
      entries.filter(({ Service }) => Service.Tags.some((t) => t.toLowerCase() === wanted)),
    );
  }

  connect(name: string): Lookup<readonly HealthEntry[]> {
    return this.#look(`/v1/health/connect/${encode(name)}`, entriesIn);
  }

  ingress(name: string): Lookup<readonly HealthEntry[]> {
    return this.#look(`/v1/health/ingress/${encode(name)}`, entriesIn);
  }

  node(name: string): Lookup<Node | undefined> {
    return this.#look(`/v1/catalog/node/${encode(name)}`, (answer) => {
      return jsonOf<{ readonly Node: Node }>(answer)?.Node;
    });
  }

  query(idOrName: string): Lookup<QueryFound | undefined> {
    return this.#look(`/v1/query/${encode(idOrName)}/execute`, (answer) => {
      const executed = jsonOf<Executed>(answer);
      if (executed === null) return undefined;
      const { Service, DNS, Nodes } = executed;
      const ordered = answer.headers[ORDERED_HEADER.toLowerCase()] !== undefined;
      const entries = Nodes.map((entry) => ({ ...entry, Checks: entry.Checks ?? [] }));
      return { service: Service, ttl: DNS.TTL, entries, ordered };
    });
  }

  address(ip: string): Lookup<AddressOwner | undefined> {
    return this.#look(`${ADDRESS_OWNER_PATH}${encode(ip)}`, (answer) => {
      return jsonOf<AddressOwner>(answer) ?? undefined;
    });
  }

  virtual(name: string): Lookup<string | undefined> {
    return this.#look(`${VIRTUAL_ADDRESS_PATH}${encode(name)}`, (answer) => {
      return jsonOf<string>(answer) ?? undefined;
    });
  }

  #look<T>(path: string, read: (answer: Answered) => T): Lookup<T> {
    const target = this.#options.maxStaleMs > 0 ? `${path}?stale` : path;
    const token = this.#options.token();
    const key = `${token}\n${target}`;
    const memory = this.#memories.get(key)?.value;
    const now = this.#options.clock.monotonic();
    if (memory !== undefined && now < memory.untilMs) return this.#found(memory);
    const asked = this.#asking.get(key) ?? this.#ask({ key, target, token }, read);
    const old = memory !== undefined && now - memory.atMs <= this.#options.maxStaleMs;
    return (old ? this.#impatient(asked, memory) : asked).then((each) => this.#found<T>(each));
  }

  #found<T>(memory: Memory): Found<T> {
    const { clock, token } = this.#options;
    const isCurrent = () => clock.monotonic() < memory.untilMs && memory.token === token();
    return { value: memory.value as T, isCurrent };
  }

  #ask<T>({ key, target, token }: Asking, read: (answer: Answered) => T): Promise<Memory> {
    const { get, clock, maxStaleMs } = this.#options;
    const asking = get(target, token)
      .then((answer) => {
        // Whoever may not see it any more is told nothing old either.
        if (answer.status === 403) this.#memories.delete(key);
        const atMs = clock.monotonic();
        const untilMs = maxStaleMs > 0 ? atMs + FRESH_MS : 0;
        const memory: Memory = { token, value: read(answer), atMs, untilMs };
        this.#memories.keep(key, memory, answer.body.length * BYTES_A_BYTE);
        return memory;
      })
      .finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  /** The new answer if it comes soon, else the old one, for a while. */
  #impatient(asked: Promise<Memory>, old: Memory): Promise<Memory> {
    const { clock } = this.#options;
    return new Promise((resolve, reject) => {
      const giveOut = () => {
        cancel();
        old.untilMs = clock.monotonic() + RETRY_MS;
        resolve(old);
      };
      const cancel = clock.after(PATIENCE_MS, giveOut);
      asked.then(
        (memory) => {
          cancel();
          resolve(memory);
        },
        (error: unknown) => {
          if (!isForbidden(error)) giveOut();
          cancel();
          reject(error);
        },
      );
    });
  }
}

interface Asking {
  readonly key: string;
  readonly target: string;
  readonly token: string;
}

interface TaggedEntry extends HealthEntry {
  readonly Service: HealthEntry['Service'] & { readonly Tags: readonly string[] };
}

interface Executed {
  readonly Service: string;
  readonly DNS: { readonly TTL: string };
  readonly Nodes: readonly (Omit<HealthEntry, 'Checks'> & {
    readonly Checks: HealthEntry['Checks'] | null;
  })[];
}

function entriesIn(answer: Answered): readonly TaggedEntry[] {
  return jsonOf<readonly TaggedEntry[]>(answer) ?? [];
}

/** null for what is not there, or is no name that could be: DNS lets clients ask for anything. */
function jsonOf<T>({ status, body }: Answered): T | null {
  if (status === 200) return decodeJson(body.toString()) as T | null;
  // 301: it holds `..` or the like, by which nothing can be asked for over HTTP.
  if (status === 404 || status === 400 || status === 301) return null;
  const code = status === 403 ? 'forbidden' : 'unavailable';
  throw new ProconsulError(code, `a server answered ${status}`);
}

function encode(name: string): string {
  return encodeURIComponent(name);
}

function derive<A, B>(looked: Lookup<A>, of: (value: A) => B): Lookup<B> {
  const change = ({ value, isCurrent }: Found<A>): Found<B> => ({ value: of(value), isCurrent });
  return looked instanceof Promise ? looked.then(change) : change(looked);
}

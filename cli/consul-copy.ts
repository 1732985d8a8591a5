/**
 * Copies what one cluster knows into another, by Consul's own archive: so everything has the ids, secrets
 * and certificates that it had. What the other had before is replaced, but for its own nodes.
 */
import type { Raw } from '../lib/archive/records.ts';
import { ProconsulError } from '../lib/errors.ts';
import { encodeJson } from '../lib/json.ts';
import { MAX_SNAPSHOT_BYTES } from '../lib/limits.ts';
import type { ApiClient } from './api-client.ts';
import { type ArchiveKinds, archiveKinds } from './archive-kinds.ts';
import { explained } from './command.ts';
import { addMarks, countedMarks, KEY, type Marks, METHOD, namedMarks } from './copy-marks.ts';
import { megabytes, Pace, type Progress, shown } from './progress.ts';

export interface Sides {
  readonly from: ApiClient;
  readonly to: ApiClient;
}

export interface Copied extends ArchiveKinds {
  /** Of each kind, what the new cluster has after it. */
  readonly here: ReadonlyMap<string, number>;
}

interface Look {
  readonly marks: Marks;
  readonly counts: ReadonlyMap<string, number>;
}

/** As Consul shows it, with its secrets. */
interface Method {
  readonly Name: string;
  readonly CreateIndex: unknown;
  readonly ModifyIndex: unknown;
}

/** Their kind in an archive. */
const METHODS = 'authMethod';

const SAVE = { method: 'GET', path: '/v1/snapshot' } as const;

export class ConsulCopy {
  readonly #sides: Sides;
  readonly #progress: Progress;
  /** Those that were in the other cluster before: its servers, and agents that moved already. */
  readonly #own: ReadonlySet<string>;
  /** What the new cluster had right after the last copy. */
  #left: Marks | undefined;
  /** What was sent and not looked at yet: a failure came between. */
  #sent: Marks | undefined;

  private constructor(sides: Sides, progress: Progress, own: ReadonlySet<string>) {
    this.#sides = sides;
    this.#progress = progress;
    this.#own = own;
  }

  static async between(sides: Sides, progress: Progress): Promise<ConsulCopy> {
    const nodes = await list<{ readonly Node: string }>(sides.to, '/v1/catalog/nodes');
    return new ConsulCopy(sides, progress, new Set(nodes.map(({ Node }) => Node)));
  }

  /** What would be lost by a copy, in words; '' where the cluster is as good as new. */
  async losses(): Promise<string> {
    return countedMarks((await this.#look()).marks);
  }

  /** Throws 'rejected' where somebody wrote to the copy since the last time: that would be lost. */
  async copy(): Promise<Copied> {
    const { from, to } = this.#sides;
    // Whatever takes long comes before the look, after which nothing that is written there is noticed.
    const archive = await this.#read();
    const brought: Marks = new Map();
    const kinds = await archiveKinds([archive], (kind, value) => {
      addMarks(brought, kind, value, this.#own);
    });
    const servers = await list<{ readonly Node: string }>(from, '/v1/catalog/service/consul');
    const methods = await this.#methodsBeside(brought);
    const written = await this.#written();
    if (written.size > 0) {
      const why = `Somebody writes to the new cluster by now (${namedMarks(written)})`;
      throw new ProconsulError('rejected', `${why}: it is not copied over any more`);
    }
    this.#sent = new Map([...(this.#sent ?? []), ...brought, ...marksOf(methods)]);
    const pace = new Pace({ what: 'writing', total: archive.length }, this.#progress);
    const onSent = (bytes: number) => pace.at(bytes);
    await explained(
      'Error writing to the new cluster',
      to.send({ method: 'PUT', path: '/v1/snapshot', body: archive, onSent }),
    ).finally(() => pace.end());
    for (const method of methods) await this.#bringMethod(method);
    for (const { Node } of servers) if (!this.#own.has(Node)) await this.#forget(Node);
    // Only keys are the same to the byte in both archives; of all else it is known here how it was taken.
    const { marks, counts } = await this.#look((kind) => kind !== 'kv');
    const keys = [...brought].filter(([, [words]]) => words === KEY);
    this.#left = new Map([...keys, ...marks]);
    this.#sent = undefined;
    const archived = kinds.counts.get(METHODS) ?? 0;
    const all = new Map(kinds.counts);
    if (methods.length > 0) all.set(METHODS, archived + methods.length);
    return { ...kinds, counts: all, here: counts };
  }

  /** Consul 1.8 puts the first of its auth methods into an archive, and no other: those are asked for. */
  async #methodsBeside(archived: Marks): Promise<readonly Method[]> {
    const { from } = this.#sides;
    const names = new Set([...archived.values()].map((words) => words.join(' ')));
    const all = await list<{ readonly Name: string }>(from, '/v1/acl/auth-methods');
    const others = all.filter(({ Name }) => !names.has(`${METHOD} ${Name}`));
    const found = others.map(async ({ Name }): Promise<readonly Method[]> => {
      const path = `/v1/acl/auth-method/${encodeURIComponent(Name)}`;
      const { status, json } = await from.send({ method: 'GET', path, accept: [404] });
      return status === 404 ? [] : [json as Method];
    });
    return (await Promise.all(found)).flat();
  }

  async #bringMethod({ CreateIndex: _, ModifyIndex: __, ...method }: Method): Promise<void> {
    const body = encodeJson(method);
    await explained(
      `Error writing the auth method ${method.Name}`,
      this.#sides.to.send({ method: 'PUT', path: '/v1/acl/auth-method', body }),
    );
  }

  async #read(): Promise<Buffer> {
    const stream = await explained('Error reading from Consul', this.#sides.from.stream(SAVE));
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of shown(stream, 'reading', this.#progress)) {
      parts.push(part);
      bytes += part.length;
      if (bytes > MAX_SNAPSHOT_BYTES) {
        const most = megabytes(MAX_SNAPSHOT_BYTES);
        throw new ProconsulError('too-large', `Consul's archive is beyond ${most}`);
      }
    }
    return Buffer.concat(parts);
  }

  /** A server of Consul's is none here: it would be offered to whoever looks for one. */
  async #forget(Node: string): Promise<void> {
    const { to } = this.#sides;
    const path = `/v1/catalog/node/${encodeURIComponent(Node)}`;
    const { json } = await to.send({ method: 'GET', path });
    const { Services = {} } = (json ?? {}) as { readonly Services?: object };
    const others = Object.keys(Services).filter((id) => id !== 'consul');
    const body = others.length === 0 ? { Node } : { Node, ServiceID: 'consul' };
    await to.send({
      method: 'PUT',
      path: '/v1/catalog/deregister',
      body: JSON.stringify(body),
    });
  }

  /**
   * What is there now and was not after the last copy. What is gone may have gone by itself. Where nobody has seen
   * how a copy was taken, what has the name of something that was sent is taken for that.
   */
  async #written(): Promise<Marks> {
    const [left, sent] = [this.#left, this.#sent];
    if (left === undefined && sent === undefined) return new Map();
    const { marks } = await this.#look();
    const names = new Set([...(sent ?? [])].map(([, words]) => words.join(' ')));
    const isCopied = (mark: string, words: readonly string[]) =>
      left?.has(mark) || sent?.has(mark) || (words[0] !== KEY && names.has(words.join(' ')));
    return new Map([...marks].filter(([mark, words]) => !isCopied(mark, words)));
  }

  async #look(matters: (kind: string) => boolean = () => true): Promise<Look> {
    const marks: Marks = new Map();
    const see = (kind: string, value: Raw) => {
      if (matters(kind)) addMarks(marks, kind, value, this.#own);
    };
    const { counts } = await archiveKinds(await this.#sides.to.stream(SAVE), see);
    return { marks, counts };
  }
}

function marksOf(methods: readonly Method[]): Marks {
  return new Map(methods.map(({ Name }) => [`sent ${Name}`, [METHOD, Name]]));
}

/** Empty where access control is off, of which its own lists say so. */
async function list<T>(client: ApiClient, path: string): Promise<readonly T[]> {
  const answer = await client.send({ method: 'GET', path, accept: [401, 404] });
  return answer.status === 200 ? ((answer.json ?? []) as readonly T[]) : [];
}

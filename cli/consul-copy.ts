/**
 * Copies what one cluster knows into another, by Consul's own archive: so everything has the ids, secrets
 * and certificates that it had. What the other had before is replaced, but for its own nodes.
 */
import { createHash } from 'node:crypto';
import type { Raw } from '../lib/archive/records.ts';
import { ProconsulError } from '../lib/errors.ts';
import { MAX_SNAPSHOT_BYTES } from '../lib/limits.ts';
import type { ApiClient } from './api-client.ts';
import { type ArchiveKinds, archiveKinds } from './archive-kinds.ts';
import { explained } from './command.ts';
import { megabytes, type Progress, shown } from './progress.ts';

export interface Sides {
  readonly from: ApiClient;
  readonly to: ApiClient;
}

export interface Copied extends ArchiveKinds {
  readonly bytes: number;
}

const SAVE = { method: 'GET', path: '/v1/snapshot' } as const;

export class ConsulCopy {
  readonly #sides: Sides;
  readonly #progress: Progress;
  /** Those that were in the other cluster before: its servers, and agents that moved already. */
  readonly #own: ReadonlySet<string>;
  #copied: ReadonlySet<string> | undefined;

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
    const { to } = this.#sides;
    const keys = await list(to, '/v1/kv/?keys=');
    const answer = await to.send({ method: 'GET', path: '/v1/catalog/services' });
    const services = Object.keys(answer.json as object).filter((name) => name !== 'consul');
    const queries = await list(to, '/v1/query');
    const counts = { keys, services, 'prepared queries': queries };
    return Object.entries(counts)
      .filter(([, found]) => found.length > 0)
      .map(([what, { length }]) => `${length} ${what}`)
      .join(', ');
  }

  /** Throws 'rejected' where somebody wrote to the copy since the last time: that would be lost. */
  async copy(): Promise<Copied> {
    const { from, to } = this.#sides;
    if (await this.#isWrittenTo()) {
      const why = 'Somebody writes to the new cluster by now';
      throw new ProconsulError('rejected', `${why}: it is not copied over any more`);
    }
    const archive = await this.#read();
    const keys = new Set<string>();
    const kinds = await archiveKinds([archive], keepKeys(keys));
    const servers = await list<{ readonly Node: string }>(from, '/v1/catalog/service/consul');
    this.#progress(`writing ${megabytes(archive.length)}`);
    await explained(
      'Error writing to the new cluster',
      to.send({ method: 'PUT', path: '/v1/snapshot', body: archive }),
    );
    for (const { Node } of servers) if (!this.#own.has(Node)) await this.#forget(Node);
    this.#copied = keys;
    return { ...kinds, bytes: archive.length };
  }

  /** Of each kind, what the new cluster has. */
  async counts(): Promise<ReadonlyMap<string, number>> {
    const { to } = this.#sides;
    return (await archiveKinds(await to.stream(SAVE))).counts;
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

  /** Whether any key holds now what the last copy did not bring. One that is gone may have gone by itself. */
  async #isWrittenTo(): Promise<boolean> {
    const copied = this.#copied;
    if (copied === undefined) return false;
    const keys = new Set<string>();
    await archiveKinds(await this.#sides.to.stream(SAVE), keepKeys(keys));
    return [...keys].some((each) => !copied.has(each));
  }
}

/**
 * Each key with what it holds, and without its lock: sessions end here, whose holders renew them at Consul,
 * and take their locks with them, or their keys.
 */
function keepKeys(keys: Set<string>): (kind: string, value: Raw) => void {
  return (kind, value) => {
    if (kind !== 'kv' || typeof value !== 'object' || value === null || !('Key' in value)) return;
    const hash = createHash('sha256');
    for (const part of [value['Key'], '\0', String(value['Flags']), '\0', value['Value']]) {
      if (typeof part === 'string' || part instanceof Uint8Array) hash.update(part);
    }
    keys.add(hash.digest('base64'));
  };
}

async function list<T>(client: ApiClient, path: string): Promise<readonly T[]> {
  const answer = await client.send({ method: 'GET', path, accept: [404] });
  return answer.status === 404 ? [] : ((answer.json ?? []) as readonly T[]);
}

/** The keys of one prefix as the store has them, and what was agreed of them: written by whoever has the turn. */
import { ProconsulError } from '../../lib/errors.ts';
import { MAX_TXN_OPS } from '../../lib/limits.ts';
import { objectIn, objectsIn, textIn } from '../api/shapes.ts';
import type { Catalog } from '../catalog.ts';
import { Reading, type ReadingDeps } from '../reading.ts';
import type { Fence } from '../way.ts';
import { type Agreed, agreedIn, agreedText, type Contents, type Keys, keysIn } from './contents.ts';
import { type MapRule, writesKeys } from './rules.ts';

/** A server takes half a megabyte in one transaction, and some of it is names. */
const MAX_BATCH_CHARS = 256 * 1024;
const PACE_MS = 100;

type Operation = { readonly KV: Readonly<Record<string, unknown>> };

export interface KeysEvents {
  readonly changed: () => void;
  readonly lost: (why: string) => void;
}

export class KeptKeys {
  readonly #catalog: Catalog;
  readonly #rule: MapRule;
  readonly #reading: Reading;
  #keys: Keys | undefined;
  /** With the index that it is written over; undefined before it was read. */
  #agreed: { readonly names: Agreed; readonly index: unknown } | undefined;

  constructor(deps: ReadingDeps, rule: MapRule, on: KeysEvents) {
    this.#catalog = deps.catalog;
    this.#rule = rule;
    this.#reading = new Reading(deps, {
      path: `/v1/kv/${encoded(rule.prefix)}`,
      query: [['recurse', '']],
      begin: () => 0,
      take: (answer) => {
        this.#keys = keysIn(answer?.json, rule.prefix);
        on.changed();
        return true;
      },
      lost: on.lost,
      paceMs: () => PACE_MS,
    });
  }

  /** Undefined before they were read. */
  get now(): Keys | undefined {
    return this.#keys;
  }

  get agreed(): Agreed {
    return this.#agreed?.names ?? new Map();
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#reading.run(signal);
  }

  /** As they are now; what was agreed first, for whoever wrote that had written all else. */
  async readAnew(signal: AbortSignal): Promise<void> {
    if (writesKeys(this.#rule)) this.#agreed = await this.#readAgreed(signal);
    await this.#reading.readAnew(signal);
  }

  /**
   * How many keys were written: each only as it was last seen, and with them what is agreed by that. Rejects where
   * one is not taken.
   */
  async write(
    { contents, agreed }: { readonly contents: Contents; readonly agreed: Agreed },
    fence: Fence,
    signal: AbortSignal,
  ): Promise<number> {
    const changes = this.#differences(contents);
    const operations = [...changes, ...this.#agreement(agreed)];
    let index: unknown;
    for (const batch of inBatches(operations)) index = await this.#send(batch, fence, signal);
    if (operations.length > changes.length) this.#agreed = { names: agreed, index };
    if (changes.length > 0) await this.#reading.readAnew(signal);
    return changes.length;
  }

  async agree(names: Agreed, fence: Fence, signal: AbortSignal): Promise<void> {
    const operations = this.#agreement(names);
    if (operations.length === 0) return;
    this.#agreed = { names, index: await this.#send(operations, fence, signal) };
  }

  /** Where it says the same already nothing is written. */
  #agreement(names: Agreed): readonly Operation[] {
    const { prefix, agreedKey: Key } = this.#rule;
    const text = agreedText(names, prefix);
    if (this.#agreed === undefined || text === agreedText(this.#agreed.names, prefix)) return [];
    const Value = Buffer.from(text).toString('base64');
    return [{ KV: { Verb: 'cas', Key, Value, Index: this.#agreed.index } }];
  }

  async #readAgreed(signal: AbortSignal) {
    const { prefix, agreedKey } = this.#rule;
    const asked = { method: 'GET', path: `/v1/kv/${encoded(agreedKey)}`, accept: [404] } as const;
    const { status, json } = await this.#catalog.ask(asked, signal);
    const [pair] = status === 404 ? [] : objectsIn(json);
    const text = Buffer.from(textIn(pair?.['Value']), 'base64').toString();
    return { names: agreedIn(parsed(text), prefix), index: pair?.['ModifyIndex'] ?? 0 };
  }

  #differences(wanted: Contents): readonly Operation[] {
    const { contents, rows } = this.#keys ?? keysIn([], '');
    const { prefix } = this.#rule;
    const sets = [...wanted].filter(([name, value]) => contents.get(name) !== value);
    const gone = [...contents.keys()].filter((name) => !wanted.has(name));
    const of = (name: string) => ({ Key: `${prefix}${name}`, Index: rows.get(name)?.index ?? 0 });
    return [
      ...sets.map(([name, Value]) => {
        const Flags = rows.get(name)?.flags ?? 0;
        return { KV: { Verb: 'cas', ...of(name), Value, Flags } };
      }),
      ...gone.map((name) => ({ KV: { Verb: 'delete-cas', ...of(name) } })),
    ];
  }

  /** The index of what was set last. */
  async #send(
    operations: readonly Operation[],
    fence: Fence,
    signal: AbortSignal,
  ): Promise<unknown> {
    const check = { KV: { Verb: 'check-session', Key: fence.key, Session: fence.session } };
    const request = { method: 'PUT', path: '/v1/txn', body: [check, ...operations] } as const;
    const { status, json } = await this.#catalog.ask({ ...request, accept: [409] }, signal);
    const said = objectIn(json);
    if (status !== 409) {
      return objectIn(objectsIn(said['Results']).at(-1)?.['KV'])['ModifyIndex'];
    }
    const errors = objectsIn(said['Errors']);
    const lost = errors.find(({ OpIndex }) => OpIndex === 0);
    if (lost === undefined) throw new ProconsulError('busy', textIn(errors[0]?.['What']));
    throw new ProconsulError('rejected', `the lock is another's: ${textIn(lost['What'])}`);
  }
}

/** Each part of it, but not the slashes between them. */
function encoded(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function* inBatches(operations: readonly Operation[]): Iterable<readonly Operation[]> {
  let batch: Operation[] = [];
  let chars = 0;
  for (const operation of operations) {
    const more = String(operation.KV['Value'] ?? '').length;
    const isFull = batch.length + 1 >= MAX_TXN_OPS || chars + more > MAX_BATCH_CHARS;
    if (isFull && batch.length > 0) {
      yield batch;
      [batch, chars] = [[], 0];
    }
    batch.push(operation);
    chars += more;
  }
  if (batch.length > 0) yield batch;
}

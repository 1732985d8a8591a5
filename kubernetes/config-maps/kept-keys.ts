/** The keys of one prefix as the store has them, and what was agreed of them: written by whoever has the turn. */
import { ProconsulError } from '../../lib/errors.ts';
import { MAX_TXN_OPS } from '../../lib/limits.ts';
import { objectIn, objectsIn, type Said, textIn } from '../api/shapes.ts';
import type { Catalog } from '../catalog.ts';
import { Reading, type ReadingDeps } from '../reading.ts';
import { refuseHidden } from '../rights.ts';
import type { Fence } from '../way.ts';
import {
  type Agreed,
  agreedIn,
  agreedText,
  isCredible,
  NOTHING_AGREED,
  sameNames,
} from './agreed.ts';
import { type Contents, type Keys, keysIn, sameKeys } from './contents.ts';
import type { MapRule } from './rules.ts';

/** A server takes half a megabyte in one transaction, and some of it is names. */
const MAX_BATCH_CHARS = 256 * 1024;
/** Between two reads of the keys, which are read with all that is below them. */
const PACE_MS = 100;
const PACE_OF_CHAR_MS = 1 / 10_000;

type Operation = { readonly KV: Readonly<Record<string, unknown>> };

export interface KeysEvents {
  readonly changed: () => void;
  readonly lost: (why: string) => void;
}

/** What is to be written, over what, and what is agreed once all of it is, and until then. */
export interface Writing {
  readonly seen: Keys;
  readonly contents: Contents;
  /** Nothing else is to be written beside the keys. */
  readonly isAll: boolean;
  readonly agreed: Agreed['names'];
  readonly intended: Agreed['names'];
}

export class KeptKeys {
  readonly #catalog: Catalog;
  readonly #rule: MapRule;
  readonly #reading: Reading;
  #keys: Keys | undefined;
  /** Of the answer that they were in. */
  #chars = 0;
  #agreed: Agreed = NOTHING_AGREED;
  /** That what is agreed is written over; undefined before it was read. */
  #index: unknown;
  /** Of all that was ever known to be agreed. */
  #lastSerial = 0;

  constructor(deps: ReadingDeps, rule: MapRule, on: KeysEvents) {
    this.#catalog = deps.catalog;
    this.#rule = rule;
    this.#reading = new Reading(deps, {
      path: `/v1/kv/${encoded(rule.prefix)}`,
      query: [['recurse', '']],
      begin: () => 0,
      take: (answer) => {
        const before = this.#keys;
        this.#keys = keysIn(answer === undefined ? [] : answer.json, rule.prefix);
        this.#chars = answer?.text.length ?? 0;
        // Whoever looks may read them anew for that, and would look once more without end.
        if (before === undefined || !sameKeys(before, this.#keys)) on.changed();
        return true;
      },
      lost: on.lost,
      paceMs: () => Math.max(PACE_MS, this.#chars * PACE_OF_CHAR_MS),
    });
  }

  /** Undefined before they were read. */
  get now(): Keys | undefined {
    return this.#keys;
  }

  get agreed(): Agreed {
    return this.#agreed;
  }

  /** The store has less than was known to be agreed: it was restored from a snapshot. */
  get isBehind(): boolean {
    return this.#agreed.serial > 0 && this.#agreed.serial < this.#lastSerial;
  }

  /** Someone else knows that so much was agreed. */
  knows(serial: number): void {
    if (!isCredible(serial, this.#agreed)) return;
    this.#lastSerial = Math.max(this.#lastSerial, serial);
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#reading.run(signal);
  }

  /** As they are now; what was agreed first, for whoever wrote that had written all else. */
  async readAnew(signal: AbortSignal): Promise<void> {
    await this.#readAgreed(signal);
    await this.#reading.readAnew(signal);
  }

  /**
   * Rejects where one of them may only be hidden from the token: of that the catalog says nothing, as of what is gone.
   * They are read anew then, with rights that are as new as those that were asked for.
   */
  async readGone(names: readonly string[], signal: AbortSignal): Promise<void> {
    const keys = names.map((name) => `${this.#rule.prefix}${name}`);
    await refuseHidden(this.#catalog, 'key', keys, signal);
    await this.#reading.readAnew(signal);
  }

  /**
   * How many keys were written: each only as it was last seen, and with them what is agreed by that, or, where that takes
   * more than one transaction or more than keys, what is intended. Rejects where one is not taken.
   */
  async write(
    { seen, contents, isAll, agreed, intended }: Writing,
    fence: Fence,
    signal: AbortSignal,
  ): Promise<number> {
    const changes = this.#differences(seen, contents);
    const [whole = [], ...more] = inBatches([...this.#agreement(agreed), ...changes]);
    const isOne = isAll && more.length === 0;
    const batches = isOne ? [whole] : inBatches([...this.#agreement(intended), ...changes]);
    for (const batch of batches) if (batch.length > 0) await this.#send(batch, fence, signal);
    if (changes.length > 0) await this.#reading.readAnew(signal);
    return changes.length;
  }

  /** Rejects where the store does not know this turn, as one that has come back empty: what it does not have is not gone by that. */
  async confirm(fence: Fence, signal: AbortSignal): Promise<void> {
    await this.#send([], fence, signal);
  }

  async agree(names: Agreed['names'], fence: Fence, signal: AbortSignal): Promise<void> {
    const operations = this.#agreement(names);
    if (operations.length > 0) await this.#send(operations, fence, signal);
  }

  /** Keys alone say what is so: what was agreed before is soon no more true. */
  async forget(fence: Fence, signal: AbortSignal): Promise<void> {
    if (this.#index === 0) return;
    const KV = { Verb: 'delete-cas', Key: this.#rule.agreedKey, Index: this.#index };
    await this.#send([{ KV }], fence, signal);
    [this.#agreed, this.#index] = [NOTHING_AGREED, 0];
  }

  /** Where it says the same already nothing is written. */
  #agreement(names: Agreed['names']): readonly Operation[] {
    const isSaid = !this.isBehind && sameNames(names, this.#agreed.names);
    if (this.#index === undefined || isSaid) return [];
    const { prefix, agreedKey: Key } = this.#rule;
    const text = agreedText({ serial: this.nextSerial, names }, prefix);
    const Value = Buffer.from(text).toString('base64');
    return [{ KV: { Verb: 'cas', Key, Value, Index: this.#index } }];
  }

  get nextSerial(): number {
    return Math.max(this.#lastSerial, this.#agreed.serial) + 1;
  }

  async #readAgreed(signal: AbortSignal): Promise<void> {
    const { prefix, agreedKey } = this.#rule;
    const asked = { method: 'GET', path: `/v1/kv/${encoded(agreedKey)}`, accept: [404] } as const;
    const { status, index, json } = await this.#catalog.ask(asked, signal);
    const [pair] = objectsIn(status === 404 ? [] : json);
    if (status === 404 ? index === '' : pair === undefined) {
      throw new ProconsulError('unavailable', `${agreedKey}: the answer says nothing of it`);
    }
    const text = Buffer.from(textIn(pair?.['Value']), 'base64').toString();
    this.#agreed = agreedIn(parsed(text), prefix);
    this.#index = pair?.['ModifyIndex'] ?? 0;
    this.knows(this.#agreed.serial);
  }

  /** The largest first: where one is more than the server takes, none has been written. */
  #differences({ contents, rows }: Keys, wanted: Contents): readonly Operation[] {
    const { prefix } = this.#rule;
    const sets = [...wanted].filter(([name, value]) => contents.get(name) !== value);
    const gone = [...contents.keys()].filter((name) => !wanted.has(name));
    const of = (name: string) => ({ Key: `${prefix}${name}`, Index: rows.get(name)?.index ?? 0 });
    return [
      ...sets
        .sort(([, a], [, b]) => b.length - a.length)
        .map(([name, Value]) => {
          const Flags = rows.get(name)?.flags ?? 0;
          return { KV: { Verb: 'cas', ...of(name), Value, Flags } };
        }),
      ...gone.map((name) => ({ KV: { Verb: 'delete-cas', ...of(name) } })),
    ];
  }

  async #send(operations: readonly Operation[], fence: Fence, signal: AbortSignal): Promise<void> {
    const check = { KV: { Verb: 'check-session', Key: fence.key, Session: fence.session } };
    const request = { method: 'PUT', path: '/v1/txn', body: [check, ...operations] } as const;
    const { status, json } = await this.#catalog.ask({ ...request, accept: [409] }, signal);
    const said = objectIn(json);
    if (status !== 409) return this.#sent(operations, objectsIn(said['Results']));
    const errors = objectsIn(said['Errors']);
    const lost = errors.find(({ OpIndex }) => OpIndex === 0);
    if (lost === undefined) throw new ProconsulError('busy', textIn(errors[0]?.['What']));
    throw new ProconsulError('rejected', `the lock is another's: ${textIn(lost['What'])}`);
  }

  /** What was agreed is written over its own index next time. */
  #sent(operations: readonly Operation[], results: readonly Said[]): void {
    const { agreedKey, prefix } = this.#rule;
    const own = ({ KV }: { readonly KV?: unknown }) => objectIn(KV)['Key'] === agreedKey;
    const Value = operations.find(own)?.KV['Value'];
    if (Value === undefined) return;
    this.#agreed = agreedIn(parsed(Buffer.from(textIn(Value), 'base64').toString()), prefix);
    this.#index = objectIn(results.find(own)?.['KV'])['ModifyIndex'];
    this.knows(this.#agreed.serial);
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

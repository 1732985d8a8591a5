/**
 * Transactions that write two keys at once, blindly or if neither has changed. Nobody ever sees one
 * without the other, and both together are linearizable as one thing.
 */
import { impossible, type Operation, upTo } from '../../support/experiments/linearizability.ts';
import type { SimClient } from '../client.ts';
import { Clients } from './clients.ts';
import type { Row } from './sightings.ts';

const CLIENTS = 3;
const KEYS = ['pair/a', 'pair/b'] as const;
const PAUSE_MS = 150;

interface Seen {
  readonly value: string | null;
  readonly index: number;
}

interface TxnAnswer {
  readonly Results: readonly { readonly KV: Row }[] | null;
}

export class Transactions extends Clients {
  readonly #history: Operation[] = [];
  #written = 0;

  async run(untilMs: number): Promise<void> {
    await this.each('t', CLIENTS, (client) => this.#work(client, untilMs));
  }

  override verdict(before: number): readonly string[] {
    const why = impossible(upTo(this.#history, before));
    const what = why === undefined ? [] : [`transactions are not linearizable: ${why}`];
    return [...super.verdict(before), ...what];
  }

  async #work(client: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    const { random } = world;
    let seen: Seen | undefined;
    while (world.now < untilMs) {
      const port = this.anyPort();
      if (random.next() < 0.5) seen = (await this.#read(client, port)) ?? seen;
      else await this.#write(client, port, random.next() < 0.6 ? seen : undefined);
      await this.rest(client, PAUSE_MS);
    }
  }

  async #read(client: SimClient, port: number): Promise<Seen | undefined> {
    const { world, splits } = this.cluster;
    const call = world.now;
    const answer = await client.ask(
      port,
      'GET',
      `/v1/kv/pair/?recurse${splits ? '&consistent' : ''}`,
    );
    if (answer === undefined || (answer.status !== 200 && answer.status !== 404)) return undefined;
    const rows = answer.status === 404 ? [] : (JSON.parse(answer.text) as Row[]);
    const value = textOf(rows[0]);
    const index = rows[0]?.ModifyIndex ?? 0;
    const isWhole = rows.length === 0 || rows.length === KEYS.length;
    const alike = rows.every((row) => textOf(row) === value && row.ModifyIndex === index);
    if (!isWhole || !alike) {
      this.violations.add(
        'a transaction is seen in part',
        `${client.machine.name}: ${answer.text}`,
      );
    }
    const at = rows.length === 0 ? {} : { index };
    this.#history.push({ kind: 'get', call, ret: world.now, value, ...at });
    return { value, index };
  }

  async #write(client: SimClient, port: number, seen: Seen | undefined): Promise<void> {
    const { world } = this.cluster;
    const call = world.now;
    const value = `t${++this.#written}`;
    const Value = Buffer.from(value).toString('base64');
    const how = seen === undefined ? { Verb: 'set' } : { Verb: 'cas', Index: seen.index };
    const body = JSON.stringify(KEYS.map((Key) => ({ KV: { ...how, Key, Value } })));
    const answer = await client.ask(port, 'PUT', '/v1/txn', { body });
    const kind: Operation['kind'] = seen === undefined ? 'put' : 'cas';
    const operation = { kind, call, value, ...(seen && { expects: seen.value }) };
    if (answer?.status === 200 || answer?.status === 409) {
      const ok = answer.status === 200;
      this.#history.push({ ...operation, ret: world.now, ok });
      if (ok) this.#judgeAnswer(client, answer.text);
    } else if (answer?.text.includes('No cluster leader') !== true) {
      this.#history.push({ ...operation, ret: Number.POSITIVE_INFINITY });
    }
  }

  #judgeAnswer(client: SimClient, text: string): void {
    const { Results } = JSON.parse(text) as TxnAnswer;
    const indexes = new Set(Results?.map(({ KV }) => KV.ModifyIndex));
    if (Results?.length === KEYS.length && indexes.size === 1) return;
    this.violations.add('a transaction has more than one index', `${client.machine.name}: ${text}`);
  }
}

function textOf(row: Row | undefined): string | null {
  return row === undefined ? null : Buffer.from(row.Value ?? '', 'base64').toString();
}

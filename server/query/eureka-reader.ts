/** Every instance as Eureka's clients are to see it, whoever registered it: a part of the Reader. */
import { type Aggregate, aggregateStatus } from '../../lib/aggregate-status.ts';
import type { Check, Instance, Node } from '../../lib/model.ts';
import type { EurekaRow } from '../eureka-commands.ts';
import type { EurekaGone } from '../state/eureka.ts';
import type { State } from '../state/state.ts';
import { CATALOG, EUREKA, fold, healthTopic, rowKey } from '../state/topic-names.ts';
import { Listed } from './listed.ts';
import type { Sight } from './sight.ts';

/** An instance that no client of Eureka registered. */
export interface Foreign {
  readonly instance: Instance;
  readonly node: Node | undefined;
  readonly status: Aggregate;
}

/** What an instance is shown by. */
export type Stand = { readonly row: EurekaRow } | Foreign;

export interface EurekaChanges {
  readonly there: readonly Stand[];
  /** Each once, and none that is there again. */
  readonly gone: readonly EurekaGone[];
}

export class EurekaReader {
  readonly #state: State;
  readonly #sight: Sight;
  readonly #note: (topic: string) => void;

  constructor(state: State, sight: Sight, note: (topic: string) => void) {
    this.#state = state;
    this.#sight = sight;
    this.#note = note;
  }

  /** The instances that are there; sidecars and gateways are nobody's application. */
  all(): Iterable<Stand> {
    this.#note(CATALOG);
    return this.#standing(this.#state.catalog.instances.values(), () => true);
  }

  of(service: string): Iterable<Stand> {
    this.#note(healthTopic(service));
    return this.#standing(this.#state.catalog.instancesOf(service), () => true);
  }

  /** What an id means: one of Eureka's, or `node:id`. */
  find(app: string, id: string): Stand | undefined {
    for (const stand of this.of(app)) {
      if ('row' in stand ? stand.row.Id === id : foreignId(stand.instance) === id) return stand;
    }
    return undefined;
  }

  /** What has changed beyond that index; undefined where that is not known any more. */
  changedSince(index: number): EurekaChanges | undefined {
    this.#note(CATALOG);
    const { eureka, catalog } = this.#state;
    const all = eureka.goneSince(index);
    if (all === undefined) return undefined;
    const lost = new Set(all.flatMap(({ check }) => (check ? [placeOf(check)] : [])));
    const isNewer = (row: { readonly ModifyIndex: number } | undefined) =>
      row !== undefined && row.ModifyIndex > index;
    const isNew = (instance: Instance, checks: readonly Check[], node: Node | undefined) =>
      isNewer(instance) || isNewer(node) || checks.some(isNewer) || isLost(lost, instance);
    const there = [...this.#standing(catalog.instances.values(), isNew, isNewer)];
    return { there, gone: this.#gone(all) };
  }

  #gone(all: readonly EurekaGone[]): EurekaGone[] {
    const { catalog, eureka } = this.#state;
    const last = new Map<string, EurekaGone>();
    for (const each of all) {
      const { row, instance } = each;
      if (row !== undefined && eureka.get(row.Info.app, row.Id) === undefined) {
        if (this.#sees(row.Node, row.Info.app)) last.set(`${row.Info.app}\0${row.Id}`, each);
      } else if (instance !== undefined && instance.Kind === '') {
        const { Node: node, ID, Service } = instance;
        const now = catalog.instance(node, ID);
        const isBack = now !== undefined && fold(now.Service) === fold(Service);
        // One that is another service's now is another instance to Eureka's clients.
        const key = `${fold(Service)}\0${rowKey(node, ID)}`;
        if (!isBack && this.#sight.instance(instance)) last.set(key, each);
      }
    }
    return [...last.values()];
  }

  #sees(node: string, app: string): boolean {
    return this.#sight.nodeNamed(node) && this.#sight.serviceNamed(fold(app));
  }

  *#standing(
    instances: Iterable<Instance>,
    wants: (instance: Instance, checks: readonly Check[], node: Node | undefined) => boolean,
    wantsRow: (row: EurekaRow) => boolean = () => true,
  ): Iterable<Stand> {
    this.#note(EUREKA);
    const { catalog, eureka } = this.#state;
    const listed = new Listed(catalog, this.#sight.of(instances, this.#sight.instance));
    for (const instance of listed.rows) {
      const row = eureka.at(instance.Node, instance.ID);
      if (row !== undefined) {
        if (wantsRow(row)) yield { row };
        continue;
      }
      if (instance.Kind !== '') continue;
      const checks = listed.checksFor(instance);
      const node = listed.nodeOf(instance);
      if (wants(instance, checks, node)) yield { instance, node, status: aggregateStatus(checks) };
    }
  }
}

/** An id is unique on its node alone. */
export function foreignId({ Node: node, ID }: Instance): string {
  return `${node}:${ID}`;
}

function placeOf({ node, serviceId }: NonNullable<EurekaGone['check']>): string {
  return rowKey(node, serviceId);
}

/** A check of it is gone, or of its node. */
function isLost(lost: ReadonlySet<string>, { Node: node, ID }: Instance): boolean {
  return lost.size > 0 && (lost.has(rowKey(node, ID)) || lost.has(rowKey(node, '')));
}

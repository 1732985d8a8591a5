/** Every instance as Eureka's clients are to see it, whoever registered it: a part of the Reader. */
import type { Instance } from '../../lib/model.ts';
import { type EurekaRow, eurekaKey } from '../eureka-commands.ts';
import type { EurekaGone, VipKind } from '../state/eureka.ts';
import type { State } from '../state/state.ts';
import { CATALOG, EUREKA, fold, healthTopic, rowKey } from '../state/topic-names.ts';
import type { Sight } from './sight.ts';
import { type Standing, Standings } from './standings.ts';

/** An instance that no client of Eureka registered. */
export interface Foreign extends Standing {
  readonly instance: Instance;
}

/** One that came by Eureka; the check of its lease is among those that count. */
export interface Own extends Pick<Standing, 'status' | 'changedAt'> {
  readonly row: EurekaRow;
}

/** What an instance is shown by. */
export type Stand = Own | Foreign;

export interface EurekaChanges {
  /** All that there are. */
  readonly all: readonly Stand[];
  /** Those of them that have changed. */
  readonly changed: readonly Stand[];
  /** Each once, and none that is there again. */
  readonly gone: readonly EurekaGone[];
}

/** Each colon of an id may be the one between a node and what is on it. */
const MAX_COLONS = 64;

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
    return this.#standing(CATALOG, this.#state.catalog.instances.values());
  }

  of(service: string): Iterable<Stand> {
    return this.#standing(healthTopic(service), this.#state.catalog.instancesOf(service));
  }

  /** Of one app, or of any. */
  withId(id: string, app?: string): Stand | undefined {
    const { eureka } = this.#state;
    const isMeant = (service: string) => app === undefined || fold(service) === fold(app);
    const rows = [...eureka.withId(id)].filter(({ Info }) => isMeant(Info.app));
    const others = this.#foreign(id).filter(({ Service }) => isMeant(Service));
    const topic = app === undefined ? CATALOG : healthTopic(app);
    for (const stand of this.#standing(topic, [...this.#placesOf(rows), ...others])) return stand;
    return undefined;
  }

  /** A service of Consul's has its name for both. */
  withVip(kind: VipKind, vip: string): Iterable<Stand> {
    const { eureka, catalog } = this.#state;
    const others = [...catalog.instancesOf(vip)].filter(
      ({ Service, Node, ID }) => Service === vip && eureka.at(Node, ID) === undefined,
    );
    return this.#standing(CATALOG, [...this.#placesOf(eureka.withVip(kind, vip)), ...others]);
  }

  /** What has changed beyond that index; undefined where that is not known any more. */
  changedSince(index: number): EurekaChanges | undefined {
    this.#note(CATALOG);
    const { eureka, catalog } = this.#state;
    const all = eureka.goneSince(index);
    if (all === undefined) return undefined;
    const lost = new Set(all.flatMap(({ check }) => (check ? [placeOf(check)] : [])));
    const freed = new Set(all.flatMap(({ row }) => (row ? [keyOf(row)] : [])));
    const isNew = (stand: Stand) =>
      stand.changedAt > index ||
      (lost.size > 0 && isLost(lost, placeOfStand(stand))) ||
      (freed.size > 0 && 'instance' in stand && freed.has(foreignKey(stand.instance)));
    const there = [...this.#standing(CATALOG, catalog.instances.values())];
    return { all: there, changed: there.filter(isNew), gone: this.#gone(all) };
  }

  #gone(all: readonly EurekaGone[]): EurekaGone[] {
    const { catalog, eureka } = this.#state;
    const last = new Map<string, EurekaGone>();
    for (const each of all) {
      const { row, instance } = each;
      if (row !== undefined && !this.#isKnown(keyOf(row), row.Info.app, row.Id)) {
        if (this.#sees(row)) last.set(keyOf(row), each);
      } else if (instance !== undefined && instance.Kind === '') {
        const { Node: node, ID, Service } = instance;
        const now = catalog.instance(node, ID);
        const isBack = now !== undefined && fold(now.Service) === fold(Service);
        const isOwn = eureka.rows.get(foreignKey(instance)) !== undefined;
        // One that is another service's now is another instance to Eureka's clients.
        const key = `${fold(Service)}\0${rowKey(node, ID)}`;
        if (!isBack && !isOwn && this.#sight.instance(instance)) last.set(key, each);
      }
    }
    return [...last.values()];
  }

  /** By its client, or as one of Consul's that is known by the same id. */
  #isKnown(key: string, app: string, id: string): boolean {
    if (this.#state.eureka.rows.get(key) !== undefined) return true;
    return this.#foreign(id).some(({ Service }) => fold(Service) === fold(app));
  }

  #sees({ Node: node, Info: { app } }: EurekaRow): boolean {
    return this.#sight.nodeNamed(node) && this.#sight.serviceNamed(fold(app));
  }

  #placesOf(rows: Iterable<EurekaRow>): Instance[] {
    const { catalog } = this.#state;
    const places = [...rows].map(({ Node: node, ServiceID }) => catalog.instance(node, ServiceID));
    return places.filter((instance) => instance !== undefined);
  }

  /** Those of Consul's that the id may mean. */
  #foreign(id: string): Instance[] {
    const { catalog, eureka } = this.#state;
    const found: Instance[] = [];
    let at = id.indexOf(':');
    for (let n = 0; at >= 0 && n < MAX_COLONS; n++, at = id.indexOf(':', at + 1)) {
      const there = catalog.instance(id.slice(0, at), id.slice(at + 1));
      if (there === undefined || foreignId(there) !== id) continue;
      if (eureka.at(there.Node, there.ID) === undefined) found.push(there);
    }
    return found;
  }

  *#standing(topic: string, instances: Iterable<Instance>): Iterable<Stand> {
    this.#note(topic);
    this.#note(EUREKA);
    const { catalog, eureka } = this.#state;
    const standings = new Standings(catalog);
    for (const instance of this.#sight.of(instances, this.#sight.instance)) {
      const row = eureka.at(instance.Node, instance.ID);
      if (row === undefined && !this.#isApplication(instance)) continue;
      const { node, status, changedAt: at } = standings.of(instance);
      const changedAt = Math.max(at, (row ?? instance).ModifyIndex);
      yield row === undefined ? { instance, node, status, changedAt } : { row, status, changedAt };
    }
  }

  /** A program that Eureka's clients know by the same id already, from itself, is no second one. */
  #isApplication(instance: Instance): boolean {
    if (instance.Kind !== '') return false;
    const { eureka } = this.#state;
    if (!eureka.mayName(instance.Node)) return true;
    const namesake = eureka.rows.get(foreignKey(instance));
    return namesake === undefined || !this.#sees(namesake);
  }
}

/** As it stands to whoever may see all checks of it. */
export function ownStand({ catalog }: State, row: EurekaRow): Own {
  const { status, changedAt } = new Standings(catalog).of({ Node: row.Node, ID: row.ServiceID });
  return { row, status, changedAt };
}

/** An id is unique on its node alone. */
export function foreignId({ Node: node, ID }: Instance): string {
  return `${node}:${ID}`;
}

/** In upper case, as all are, unless that would be another name: that of `straße` would be. */
export function appOf(service: string): string {
  const app = service.toUpperCase();
  return fold(app) === fold(service) ? app : service;
}

function foreignKey(instance: Instance): string {
  return eurekaKey({ app: appOf(instance.Service), id: foreignId(instance) });
}

function keyOf({ Info: { app }, Id: id }: EurekaRow): string {
  return eurekaKey({ app, id });
}

function placeOf({ node, serviceId }: NonNullable<EurekaGone['check']>): string {
  return rowKey(node, serviceId);
}

function placeOfStand(stand: Stand): { readonly node: string; readonly serviceId: string } {
  if ('row' in stand) return { node: stand.row.Node, serviceId: stand.row.ServiceID };
  return { node: stand.instance.Node, serviceId: stand.instance.ID };
}

/** A check of it is gone, or of its node. */
function isLost(lost: ReadonlySet<string>, { node, serviceId }: ReturnType<typeof placeOfStand>) {
  return lost.has(rowKey(node, serviceId)) || lost.has(rowKey(node, ''));
}

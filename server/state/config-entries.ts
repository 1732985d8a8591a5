/** Config entries by kind and name, and which of them speak of a service. */
import type { ConfigEntry, ConfigEntryDefinition } from '../../lib/config-entries/entry.ts';
import type { Kind } from '../../lib/config-entries/kind.ts';
import {
  PROXY_DEFAULTS,
  type ProxyDefaults,
} from '../../lib/config-entries/kinds/proxy-defaults.ts';
import {
  SERVICE_DEFAULTS,
  type ServiceDefaults,
} from '../../lib/config-entries/kinds/service-defaults.ts';
import {
  SERVICE_INTENTIONS,
  type ServiceIntentions,
  type SourceIntention,
} from '../../lib/config-entries/kinds/service-intentions.ts';
import { kindNamed } from '../../lib/config-entries/kinds.ts';
import { sameJson } from '../../lib/equal.ts';
import type { ChainEntries } from '../chain/chain.ts';
import { servicesBehind } from '../chain/gateways.ts';
import { type Journal, Lookup, Table } from './table.ts';
import {
  CONFIG_ENTRIES,
  chainTopic,
  configEntryTopic,
  fold,
  gatewaysTopic,
  kindTopic,
} from './topic-names.ts';
import type { Topics } from './topics.ts';

export class ConfigEntries implements ChainEntries {
  readonly #table: Table<ConfigEntry>;
  readonly #byKind = new Lookup<ConfigEntry>();
  /** By the name of a service, of entries that refer to it or are named after it. */
  readonly #about = new Lookup<ConfigEntry>();
  /** Of gateways, by kind and what they stand in front of. */
  readonly #gateways = new Lookup<ConfigEntry>();
  /** Those of intentions, by the name of a service that calls, or `*`. */
  readonly #from = new Lookup<ConfigEntry>();
  /** The destination of an intention, by the id that clients of 1.8 know it by. */
  readonly #destinations = new Map<string, string>();
  readonly #topics: Topics;

  constructor(journal: Journal, topics: Topics) {
    this.#topics = topics;
    this.#table = new Table(journal, (before, after) => this.#changed(before, after));
  }

  get(kind: string, name: string): ConfigEntry | undefined {
    return this.#table.get(keyOf(kind, name));
  }

  entryOf<E extends ConfigEntryDefinition>({ kind }: Kind<E>, name: string) {
    // What is stored was read by its kind's table.
    return this.get(kind, name) as (E & ConfigEntry) | undefined;
  }

  ofKind(kind: string): Iterable<ConfigEntry> {
    return this.#byKind.rows(kind);
  }

  countOf(kind: string): number {
    return this.#byKind.count(kind);
  }

  isEmptyOf(kind: string): boolean {
    return !this.#byKind.has(kind);
  }

  /** Those of any kind that are named after the service, or refer to it. */
  about(service: string): Iterable<ConfigEntry> {
    return this.#about.rows(fold(service));
  }

  /** The entries of gateways that say a service by its name, or `*`. */
  gatewaysOf(kind: string, service: string): Iterable<ConfigEntry> {
    return this.#gateways.rows(gatewaysTopic(kind, service));
  }

  /** Entries with an intention about calls by a service, or by any, each once. */
  intentionsFrom(service: string): Iterable<ConfigEntry> {
    return new Set([...this.#from.rows(fold(service)), ...this.#from.rows(ANY)]);
  }

  destinationOf(intention: string): string | undefined {
    return this.#destinations.get(intention);
  }

  values(): Iterable<ConfigEntry> {
    return this.#table.values();
  }

  get size(): number {
    return this.#table.size;
  }

  put(entry: ConfigEntry): void {
    this.#table.set(keyOf(entry.Kind, entry.Name), entry);
  }

  delete(kind: string, name: string): boolean {
    return this.#table.delete(keyOf(kind, name));
  }

  #changed(before: ConfigEntry | undefined, after: ConfigEntry | undefined): void {
    const { Kind, Name } = (after ?? before) as ConfigEntry;
    const key = keyOf(Kind, Name);
    for (const id of intentionIds(before)) this.#destinations.delete(id);
    for (const id of intentionIds(after)) this.#destinations.set(id, Name);
    relate(this.#about, servicesOf, { key, before, after });
    relate(this.#from, sourcesOf, { key, before, after });
    this.#gatewaysChanged(key, before, after);
    if (after === undefined) this.#byKind.delete(Kind, key);
    else this.#byKind.set(Kind, key, after);
    this.#topics.touch(CONFIG_ENTRIES);
    this.#topics.touch(kindTopic(Kind));
    const touch = (topic: string) =>
      after === undefined ? this.#topics.bury(topic) : this.#topics.touch(topic);
    touch(configEntryTopic(Kind, Name));
    if (DEFAULTS.has(Kind) && !sameJson(shownInChains(before), shownInChains(after))) {
      touch(chainTopic(Kind, Name));
    }
  }

  /** Whoever asks for a service hears of a gateway that comes in front of it or goes, and of no other. */
  #gatewaysChanged(key: string, before: ConfigEntry | undefined, after: ConfigEntry | undefined) {
    const old = gatewayTopics(before);
    const topics = gatewayTopics(after);
    for (const topic of topics) {
      if (after !== undefined) this.#gateways.set(topic, key, after);
      if (!old.delete(topic)) this.#topics.touch(topic);
    }
    for (const topic of old) {
      this.#gateways.delete(topic, key);
      if (this.#gateways.has(topic)) this.#topics.touch(topic);
      else this.#topics.bury(topic);
    }
  }
}

const DEFAULTS: ReadonlySet<string> = new Set([PROXY_DEFAULTS.kind, SERVICE_DEFAULTS.kind]);

/** What chains have of an entry of defaults: a change of anything else is none to them. */
function shownInChains(entry: ConfigEntry | undefined): unknown {
  if (entry === undefined) return [];
  const { Protocol, ExternalSNI, MeshGateway, Config } = entry as ConfigEntry &
    Partial<ServiceDefaults & ProxyDefaults>;
  return [Protocol, ExternalSNI, MeshGateway, Config?.['protocol']];
}

/** By which topic a chain hears of an entry that it reads. */
export function topicOfChains(kind: string, name: string): string {
  return DEFAULTS.has(kind) ? chainTopic(kind, name) : configEntryTopic(kind, name);
}

function keyOf(kind: string, name: string): string {
  return `${kind}/${fold(name)}`;
}

const ANY = '*';

interface Change {
  readonly key: string;
  readonly before: ConfigEntry | undefined;
  readonly after: ConfigEntry | undefined;
}

/** Has an entry found by other names from now on. */
function relate(
  lookup: Lookup<ConfigEntry>,
  namesOf: (entry: ConfigEntry) => Iterable<string>,
  { key, before, after }: Change,
): void {
  if (before !== undefined) for (const name of namesOf(before)) lookup.delete(name, key);
  if (after !== undefined) for (const name of namesOf(after)) lookup.set(name, key, after);
}

function intentionsOf(entry: ConfigEntry | undefined): readonly SourceIntention[] {
  if (entry?.Kind !== SERVICE_INTENTIONS.kind) return [];
  return (entry as unknown as ServiceIntentions).Sources ?? [];
}

function sourcesOf(entry: ConfigEntry): ReadonlySet<string> {
  return new Set(intentionsOf(entry).map(({ Name }) => fold(Name)));
}

function intentionIds(entry: ConfigEntry | undefined): readonly string[] {
  return intentionsOf(entry).flatMap(({ legacy }) => (legacy?.ID ? [legacy.ID] : []));
}

function servicesOf(entry: ConfigEntry): ReadonlySet<string> {
  const others = kindNamed(entry.Kind)?.refersTo?.(entry) ?? [];
  return new Set([entry.Name, ...others].map(fold));
}

function gatewayTopics(entry: ConfigEntry | undefined): Set<string> {
  const services = entry === undefined ? [] : servicesBehind(entry);
  return new Set(services.map((s) => gatewaysTopic(s.GatewayKind, s.Service.Name)));
}

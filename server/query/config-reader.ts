/** Config entries and intentions as a query sees them: a part of the Reader. */
import { permissionDenied } from '../../lib/acl/refusals.ts';
import type { ConfigEntry, Intention } from '../../lib/config-entries/entry.ts';
import { intentionsIn, judgedIn } from '../../lib/config-entries/intentions.ts';
import {
  SERVICE_INTENTIONS,
  type ServiceIntentions,
  type SourceIntention,
} from '../../lib/config-entries/kinds/service-intentions.ts';
import {
  SERVICE_SCALING,
  type ServiceScaling,
  scalingOf,
} from '../../lib/config-entries/kinds/service-scaling.ts';
import { trustDomainOf } from '../../lib/connect/identity.ts';
import type { ChainEntries } from '../chain/chain.ts';
import type { Step } from '../scale/measured.ts';
import { type ConfigEntries, topicOfChains } from '../state/config-entries.ts';
import { intentionById, namedAs } from '../state/intention-commands.ts';
import { instancesOf } from '../state/load-commands.ts';
import type { State } from '../state/state.ts';
import {
  CONFIG_ENTRIES,
  configEntryTopic,
  fold,
  kindTopic,
  TRUST_DOMAIN,
} from '../state/topic-names.ts';
import type { Sight } from './sight.ts';

/** As it calls, or is called. */
export type IntentionsBy = 'source' | 'destination';

type ReadOf = Pick<State, 'configEntries' | 'authority' | 'measured' | 'catalog'>;

export class ConfigReader {
  readonly #state: ReadOf;
  readonly #sight: Sight;
  readonly #note: (topic: string) => void;

  constructor(state: ReadOf, sight: Sight, note: (topic: string) => void) {
    this.#state = state;
    this.#sight = sight;
    this.#note = note;
  }

  /** Throws where it may not be seen. */
  entry(kind: string, name: string): ConfigEntry | undefined {
    if (!this.#sight.entryNamed(kind, name)) throw permissionDenied();
    this.#note(configEntryTopic(kind, name));
    const row = this.#entries.get(kind, name);
    return row && this.#sight.shownEntry(row);
  }

  /** How a service is to be scaled, and by what; undefined where nobody has said. Throws as `entry`. */
  scaling(service: string) {
    const entry = this.entry(SERVICE_SCALING.kind, service);
    if (entry === undefined) return undefined;
    const { measured, catalog } = this.#state;
    return {
      // What is stored was read by its kind's table.
      entry: scalingOf(entry as ConfigEntry & ServiceScaling),
      measured: measured.get(fold(service)),
      instances: instancesOf(catalog, service),
    };
  }

  /** What was told of a service, as steps. Throws where it may not be seen. */
  measured(service: string): { readonly name: string; readonly steps: readonly Step[] } {
    if (!this.sees(service)) throw permissionDenied();
    const { measured, catalog } = this.#state;
    const [instance] = catalog.instancesOf(service);
    return { name: instance?.Service ?? service, steps: measured.get(fold(service))?.steps ?? [] };
  }

  /** Of every kind where it is ''. */
  entries(kind: string): ConfigEntry[] {
    this.#note(kind === '' ? CONFIG_ENTRIES : kindTopic(kind));
    const all = kind === '' ? this.#entries.values() : this.#entries.ofKind(kind);
    return [...this.#sight.of(all, this.#sight.entry)].map((row) => this.#sight.shownEntry(row));
  }

  /** Whether what is said of a service may be seen. */
  sees(service: string): boolean {
    return this.#sight.serviceNamed(service);
  }

  /** '' until there is an authority. */
  trustDomain(): string {
    this.#note(TRUST_DOMAIN);
    const { config } = this.#state.authority;
    return config === undefined ? '' : trustDomainOf(config.ClusterID);
  }

  /** What a chain is compiled of: whoever may see the service may have it, wherever it leads. */
  chainEntries(service: string): ChainEntries {
    return this.#entriesFor(service, topicOfChains);
  }

  /** The same for its proxies. Whoever reads of very many hears of every entry, unless it is `byName`. */
  proxyEntries(service: string, byName = true): ChainEntries {
    return this.#entriesFor(service, byName ? configEntryTopic : kindTopic);
  }

  #entriesFor(service: string, topicOf: (kind: string, name: string) => string): ChainEntries {
    if (!this.sees(service)) throw permissionDenied();
    const entries = this.#entries;
    const note = this.#note;
    return {
      entryOf(kind, name) {
        note(topicOf(kind.kind, name));
        return entries.entryOf(kind, name);
      },
    };
  }

  intentions(): Intention[] {
    this.#note(kindTopic(SERVICE_INTENTIONS.kind));
    return [...this.#sight.of(this.#intentionsOf(), this.#sight.intention)];
  }

  /** The same, of those destinations alone. */
  intentionsFor(destinations: readonly string[]): Intention[] {
    const all = this.#entriesTo(destinations).flatMap(intentionsIn);
    return [...this.#sight.of(all, this.#sight.intention)];
  }

  /** One that may not be seen is not there: its id may follow from names that anybody can guess. */
  intentionById(id: string): Intention | undefined {
    this.#note(kindTopic(SERVICE_INTENTIONS.kind));
    const found = intentionById(this.#entries, id);
    return found !== undefined && this.#sight.intention(found) ? found : undefined;
  }

  /** Throws where it may not be seen, whether or not there is one. */
  intentionNamed(SourceName: string, DestinationName: string): Intention | undefined {
    const names = { SourceName, DestinationName };
    if (!this.#sight.intention(names)) throw permissionDenied();
    this.#note(configEntryTopic(SERVICE_INTENTIONS.kind, DestinationName));
    return namedAs(this.#entries, names);
  }

  /** Those by which calls by or to a service are judged. Throws where those may not be seen. */
  intentionsAbout(by: IntentionsBy, name: string): Intention[] {
    if (!this.#sight.intentionsOf(name)) throw permissionDenied();
    if (by === 'destination') return this.#intentionsTo(name);
    this.#note(kindTopic(SERVICE_INTENTIONS.kind));
    const meant = fold(name);
    const isMeant = ({ Name }: SourceIntention) => Name === '*' || fold(Name) === meant;
    // What is not meant is not made first.
    return [...this.#entries.intentionsFrom(name)].flatMap((row) => {
      const entry = row as ConfigEntry & ServiceIntentions;
      return judgedIn({ ...entry, Sources: (entry.Sources ?? []).filter(isMeant) });
    });
  }

  /** Those that decide who may call a service, for whoever may see it: yes or no tells no more of them. */
  intentionsDeciding(service: string): Intention[] {
    if (!this.#sight.serviceNamed(service)) throw permissionDenied();
    return this.#intentionsTo(service);
  }

  #intentionsTo(service: string): Intention[] {
    return this.#entriesTo([service, '*']).flatMap(judgedIn);
  }

  #entriesTo(destinations: readonly string[]) {
    const names = [...new Set(destinations.map(fold))];
    for (const each of names) this.#note(configEntryTopic(SERVICE_INTENTIONS.kind, each));
    return names.flatMap((each) => this.#entries.entryOf(SERVICE_INTENTIONS, each) ?? []);
  }

  get #entries(): ConfigEntries {
    return this.#state.configEntries;
  }

  #intentionsOf(): Intention[] {
    const entries = this.#entries.ofKind(SERVICE_INTENTIONS.kind);
    return [...entries].flatMap((entry) => intentionsIn(entry as ConfigEntry & ServiceIntentions));
  }
}

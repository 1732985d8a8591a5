/**
 * What config entries come to together: chains, and what gateways listen for. One that leaves any of
 * them impossible is refused.
 */
import type { ConfigEntry, ConfigEntryDefinition } from '../../lib/config-entries/entry.ts';
import { EVERY_SERVICE, INGRESS_GATEWAY } from '../../lib/config-entries/kinds/ingress-gateway.ts';
import {
  GLOBAL,
  PROXY_DEFAULTS,
  protocolOf,
} from '../../lib/config-entries/kinds/proxy-defaults.ts';
import { SERVICE_DEFAULTS } from '../../lib/config-entries/kinds/service-defaults.ts';
import { SERVICE_RESOLVER } from '../../lib/config-entries/kinds/service-resolver.ts';
import { SERVICE_ROUTER } from '../../lib/config-entries/kinds/service-router.ts';
import { SERVICE_SPLITTER } from '../../lib/config-entries/kinds/service-splitter.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { quote } from '../../lib/go-literals.ts';
import { Spoken } from '../chain/spoken.ts';
import type { ConfigEntries } from './config-entries.ts';
import { Refusal } from './outcome.ts';
import { fold } from './topic-names.ts';

const OF_CHAINS = [SERVICE_ROUTER.kind, SERVICE_SPLITTER.kind, SERVICE_RESOLVER.kind];
const ABOUT_SERVICES = [...OF_CHAINS, SERVICE_DEFAULTS.kind];

/** What chains can see of an entry that may say much else; undefined of those that they are made of. */
export function seenByChains(
  entries: ConfigEntries,
  { Kind, Name }: Pick<ConfigEntryDefinition, 'Kind' | 'Name'>,
): string | undefined {
  if (Kind === PROXY_DEFAULTS.kind) {
    const defaults = entries.entryOf(PROXY_DEFAULTS, GLOBAL);
    return defaults === undefined ? '' : protocolOf(defaults);
  }
  if (Kind !== SERVICE_DEFAULTS.kind) return undefined;
  const defaults = entries.entryOf(SERVICE_DEFAULTS, Name);
  return `${defaults?.Protocol ?? ''}\n${defaults?.ExternalSNI ?? ''}`;
}

/**
 * Throws where the entry that was written or removed leaves a chain or a listener that cannot be. Those
 * that it is a part of are looked at, and those that lead to it: all of one chain speak one protocol, so
 * that whatever lies further away sees no difference that these do not see.
 */
export function refuseBroken(
  entries: ConfigEntries,
  { Kind, Name }: ConfigEntryDefinition,
  seenBefore: string | undefined,
): void {
  if (seenBefore !== undefined && seenByChains(entries, { Kind, Name }) === seenBefore) return;
  const looks = new Looks(entries);
  if (Kind === PROXY_DEFAULTS.kind) {
    looks.atChains(OF_CHAINS.flatMap((kind) => [...entries.ofKind(kind)]));
    looks.atListeners(entries.ofKind(INGRESS_GATEWAY.kind));
  } else if (ABOUT_SERVICES.includes(Kind)) {
    const about = [...entries.about(Name)];
    const chains = about.filter((each) => OF_CHAINS.includes(each.Kind));
    looks.atChains([{ Name }, ...chains]);
    looks.atListeners(about.filter((each) => each.Kind === INGRESS_GATEWAY.kind));
  } else if (Kind === INGRESS_GATEWAY.kind) {
    looks.atListeners([{ Name }]);
  }
}

type Named = Pick<ConfigEntry, 'Name'>;

/**
 * For one entry that changes, with what was seen meanwhile: thousands of chains may lead to it, and all of
 * them to the same thousands of services, while everybody waits.
 */
class Looks {
  readonly #entries: ConfigEntries;
  readonly #spoken: Spoken;

  constructor(entries: ConfigEntries) {
    this.#entries = entries;
    this.#spoken = new Spoken(entries);
  }

  atChains(of: readonly Named[]): void {
    const spelt = new Map(of.map(({ Name }) => [fold(Name), Name]));
    // In one order on every server: which of two faults is told must not differ.
    for (const name of [...spelt.keys()].sort()) this.#protocolOf(spelt.get(name) ?? name);
  }

  atListeners(gateways: Iterable<Named>): void {
    const names = [...gateways].map(({ Name }) => fold(Name)).sort();
    for (const name of names) {
      const listeners = this.#entries.entryOf(INGRESS_GATEWAY, name)?.Listeners ?? [];
      for (const { Protocol, Services } of listeners) {
        for (const { Name } of Services ?? []) this.#refuseOther(Name, Protocol);
      }
    }
  }

  #refuseOther(service: string, protocol: string): void {
    if (service === EVERY_SERVICE) return;
    const spoken = this.#protocolOf(service);
    if (spoken === protocol) return;
    throw new Refusal(
      `service ${quote(service)} has protocol ${quote(spoken)}, which does not match defined listener protocol ${quote(protocol)}`,
    );
  }

  #protocolOf(service: string): string {
    try {
      return this.#spoken.of(service);
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      throw new Refusal(error.message);
    }
  }
}

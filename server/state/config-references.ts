/**
 * What config entries come to together: chains, and what gateways listen for. One that leaves any of
 * them impossible is refused.
 */
import type { ConfigEntry, ConfigEntryDefinition } from '../../lib/config-entries/entry.ts';
import type { Kind as EntryKind } from '../../lib/config-entries/kind.ts';
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
import type { ChainEntries } from '../chain/chain.ts';
import { Spoken } from '../chain/spoken.ts';
import type { ConfigEntries } from './config-entries.ts';
import { Refusal } from './outcome.ts';
import { fold } from './topic-names.ts';

const OF_CHAINS = [SERVICE_ROUTER.kind, SERVICE_SPLITTER.kind, SERVICE_RESOLVER.kind];
const ABOUT_SERVICES = [...OF_CHAINS, SERVICE_DEFAULTS.kind];
/**
 * As in Consul, services behind a listener of this may come to speak any: it passes bytes on. The gateway's
 * entry itself is held to it when it is written.
 */
const ANY_SPOKEN = 'tcp';

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
  // One that says no protocol makes another difference than none.
  return defaults === undefined ? '' : `${defaults.Protocol}\n${defaults.ExternalSNI}`;
}

/**
 * Throws where the entry that was written or removed leaves a chain or a listener that cannot be, and could
 * be before: an archive may have brought what never fitted, which is mended step by step. Those that it is a
 * part of are looked at, and those that lead to it: all of one chain speak one protocol, so that whatever
 * lies further away sees no difference that these do not see.
 */
export function refuseBroken(entries: ConfigEntries, replaced: Replaced): void {
  const { Kind, Name, seen } = replaced;
  if (seen !== undefined && seenByChains(entries, replaced) === seen) return;
  const looks = new Looks(entries, () => spokenIn(entriesBefore(entries, replaced)));
  if (Kind === PROXY_DEFAULTS.kind) {
    looks.atChains(OF_CHAINS.flatMap((kind) => [...entries.ofKind(kind)]));
    looks.atListeners(entries.ofKind(INGRESS_GATEWAY.kind), ANY_SPOKEN);
  } else if (ABOUT_SERVICES.includes(Kind)) {
    const about = [...entries.about(Name)];
    const chains = about.filter((each) => OF_CHAINS.includes(each.Kind));
    looks.atChains([{ Name }, ...chains]);
    looks.atListeners(
      about.filter((each) => each.Kind === INGRESS_GATEWAY.kind),
      ANY_SPOKEN,
    );
  } else if (Kind === INGRESS_GATEWAY.kind) {
    looks.atListeners([{ Name }]);
  }
}

/** An entry that is written or removed: what stood there, and what chains saw of it. */
export interface Replaced {
  readonly Kind: string;
  readonly Name: string;
  readonly row: ConfigEntry | undefined;
  readonly seen: string | undefined;
}

function entriesBefore(entries: ConfigEntries, { Kind, Name, row }: Replaced): ChainEntries {
  return {
    entryOf<E extends ConfigEntryDefinition>(kind: EntryKind<E>, name: string) {
      const isIt = kind.kind === Kind && fold(name) === fold(Name);
      // What is stored was read by its kind's table.
      return isIt ? (row as (E & ConfigEntry) | undefined) : entries.entryOf(kind, name);
    },
  };
}

type Named = Pick<ConfigEntry, 'Name'>;

/**
 * For one entry that changes, with what was seen meanwhile: thousands of chains may lead to it, and all of
 * them to the same thousands of services, while everybody waits.
 */
class Looks {
  readonly #entries: ConfigEntries;
  readonly #spoken: Spoken;
  /** As it was before; only asked where something cannot be. */
  readonly #lookBefore: () => Spoken;
  #spokenBefore: Spoken | undefined;

  constructor(entries: ConfigEntries, lookBefore: () => Spoken) {
    this.#entries = entries;
    this.#spoken = spokenIn(entries);
    this.#lookBefore = lookBefore;
  }

  atChains(of: readonly Named[]): void {
    const spelt = new Map(of.map(({ Name }) => [fold(Name), Name]));
    // In one order on every server: which of two faults is told must not differ.
    for (const name of [...spelt.keys()].sort()) this.#protocolOf(spelt.get(name) ?? name);
  }

  atListeners(gateways: Iterable<Named>, passed = ''): void {
    const names = [...gateways].map(({ Name }) => fold(Name)).sort();
    for (const name of names) {
      const listeners = this.#entries.entryOf(INGRESS_GATEWAY, name)?.Listeners ?? [];
      for (const { Protocol, Services } of listeners) {
        if (Protocol === passed) continue;
        for (const { Name } of Services ?? []) this.#refuseOther(Name, Protocol);
      }
    }
  }

  #refuseOther(service: string, protocol: string): void {
    if (service === EVERY_SERVICE) return;
    const spoken = this.#protocolOf(service);
    if (spoken === undefined || spoken === protocol) return;
    throw new Refusal(
      `service ${quote(service)} has protocol ${quote(spoken)}, which does not match defined listener protocol ${quote(protocol)}`,
    );
  }

  /** Undefined where the chain cannot be, and could not be before. */
  #protocolOf(service: string): string | undefined {
    const protocol = spokenOf(this.#spoken, service);
    if (!(protocol instanceof ProconsulError)) return protocol;
    this.#spokenBefore ??= this.#lookBefore();
    const before = spokenOf(this.#spokenBefore, service);
    if (before instanceof ProconsulError) return undefined;
    throw new Refusal(protocol.message);
  }
}

/** Every server is to find the same, of each version. */
function spokenIn(entries: ChainEntries): Spoken {
  return new Spoken(entries, { asApplied: true });
}

function spokenOf(spoken: Spoken, service: string): string | ProconsulError {
  try {
    return spoken.of(service);
  } catch (error) {
    if (error instanceof ProconsulError) return error;
    throw error;
  }
}

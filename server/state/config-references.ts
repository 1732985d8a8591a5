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
import { NO_OVERRIDES } from '../chain/chain.ts';
import { compileChain } from '../chain/compile.ts';
import type { ConfigEntries } from './config-entries.ts';
import { Refusal } from './outcome.ts';
import { fold } from './topic-names.ts';

const OF_CHAINS = [SERVICE_ROUTER.kind, SERVICE_SPLITTER.kind, SERVICE_RESOLVER.kind];
const ABOUT_SERVICES = [...OF_CHAINS, SERVICE_DEFAULTS.kind];

/** The protocol of services that say none; '' where nobody says one. */
export function globalProtocol(entries: ConfigEntries): string {
  const defaults = entries.entryOf(PROXY_DEFAULTS, GLOBAL);
  return defaults === undefined ? '' : protocolOf(defaults);
}

/**
 * Throws where the entry that was written or removed leaves a chain or a listener that cannot be. Those
 * that it is a part of are looked at, and those that lead to it: all of one chain speak one protocol, so
 * that whatever lies further away sees no difference that these do not see.
 */
export function refuseBroken(
  entries: ConfigEntries,
  { Kind, Name }: ConfigEntryDefinition,
  protocolBefore: string,
): void {
  if (Kind === PROXY_DEFAULTS.kind) {
    if (globalProtocol(entries) === protocolBefore) return;
    const all = OF_CHAINS.flatMap((kind) => [...entries.ofKind(kind)]);
    refuseBrokenChains(entries, all);
    refuseBrokenListeners(entries, entries.ofKind(INGRESS_GATEWAY.kind));
  } else if (ABOUT_SERVICES.includes(Kind)) {
    const about = [...entries.about(Name)];
    const chains = about.filter((each) => OF_CHAINS.includes(each.Kind));
    refuseBrokenChains(entries, [{ Name }, ...chains]);
    const gateways = about.filter((each) => each.Kind === INGRESS_GATEWAY.kind);
    refuseBrokenListeners(entries, gateways);
  } else if (Kind === INGRESS_GATEWAY.kind) {
    refuseBrokenListeners(entries, [{ Name }]);
  }
}

type Named = Pick<ConfigEntry, 'Name'>;

function refuseBrokenChains(entries: ConfigEntries, of: readonly Named[]): void {
  const spelt = new Map(of.map(({ Name }) => [fold(Name), Name]));
  // In one order on every server: which of two faults is told must not differ.
  for (const name of [...spelt.keys()].sort()) chainOf(entries, spelt.get(name) ?? name);
}

function chainOf(entries: ConfigEntries, service: string) {
  // Where it is compiled for makes no difference to whether it can be.
  const request = { service, datacenter: 'dc1', here: 'dc1', trustDomain: '' };
  try {
    return compileChain(entries, { ...request, overrides: NO_OVERRIDES });
  } catch (error) {
    if (!(error instanceof ProconsulError)) throw error;
    throw new Refusal(error.message);
  }
}

function refuseBrokenListeners(entries: ConfigEntries, gateways: Iterable<Named>): void {
  const names = [...gateways].map(({ Name }) => fold(Name)).sort();
  for (const name of names) {
    const listeners = entries.entryOf(INGRESS_GATEWAY, name)?.Listeners ?? [];
    for (const { Protocol, Services } of listeners) {
      for (const { Name } of Services ?? []) refuseOtherProtocol(entries, Name, Protocol);
    }
  }
}

function refuseOtherProtocol(entries: ConfigEntries, service: string, protocol: string): void {
  if (service === EVERY_SERVICE) return;
  const spoken = chainOf(entries, service).Protocol;
  if (spoken === protocol) return;
  throw new Refusal(
    `service ${quote(service)} has protocol ${quote(spoken)}, which does not match defined listener protocol ${quote(protocol)}`,
  );
}

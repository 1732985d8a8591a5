/** Writes config entries, as far as what they come to together can be. */
import type { ConfigEntry, ConfigEntryDefinition } from '../../lib/config-entries/entry.ts';
import { isHere } from '../../lib/config-entries/intentions.ts';
import { INGRESS_GATEWAY } from '../../lib/config-entries/kinds/ingress-gateway.ts';
import {
  SERVICE_INTENTIONS,
  type ServiceIntentions,
  type SourceIntention,
} from '../../lib/config-entries/kinds/service-intentions.ts';
import { MAX_SCALED, SERVICE_SCALING } from '../../lib/config-entries/kinds/service-scaling.ts';
import { TERMINATING_GATEWAY } from '../../lib/config-entries/kinds/terminating-gateway.ts';
import { sameJson } from '../../lib/equal.ts';
import { quote } from '../../lib/go-literals.ts';
import { withFields } from '../../lib/with-fields.ts';
import type { DeleteConfigEntry, SetConfigEntry } from '../config-commands.ts';
import { sameRow } from './catalog.ts';
import { refuseBroken, seenByChains } from './config-references.ts';
import { isIndex } from './kv-commands.ts';
import { APPLIED, NOT_APPLIED, type Outcome, Refusal } from './outcome.ts';
import type { State } from './state.ts';
import { fold } from './topic-names.ts';

export function setConfigEntry(state: State, command: SetConfigEntry): Outcome {
  const { entry, cas } = command;
  const { configEntries } = state;
  const before = configEntries.get(entry.Kind, entry.Name);
  if (cas !== undefined && !isIndex(before?.ModifyIndex ?? 0, cas)) return NOT_APPLIED;
  refuseOtherGateway(state, entry);
  if (before === undefined) refuseUnmeasured(state, entry);
  const row: ConfigEntry = withFields(withLegacy(state, command, before), {
    CreateIndex: before?.CreateIndex ?? state.index,
    ModifyIndex: state.index,
  });
  if (before !== undefined && sameRow(before, row)) return APPLIED;
  const seen = seenByChains(configEntries, entry);
  configEntries.put(row);
  refuseBroken(configEntries, { Kind: entry.Kind, Name: entry.Name, row: before, seen });
  return APPLIED;
}

/** One that is not there is as good as deleted. */
export function deleteConfigEntry(state: State, { kind, name, cas }: DeleteConfigEntry): Outcome {
  const { configEntries } = state;
  const before = configEntries.get(kind, name);
  if (cas !== undefined && !isIndex(before?.ModifyIndex ?? 0, cas)) return NOT_APPLIED;
  if (before === undefined) return APPLIED;
  const seen = seenByChains(configEntries, before);
  configEntries.delete(kind, name);
  if (kind === SERVICE_SCALING.kind) state.measured.delete(fold(name));
  refuseBroken(configEntries, { Kind: before.Kind, Name: before.Name, row: before, seen });
  return APPLIED;
}

/** What clients of 1.8 know an intention by stays when it is written as a part of its entry, but not when it changed. */
function withLegacy(state: State, { entry, dates }: SetConfigEntry, before?: ConfigEntry) {
  if (entry.Kind !== SERVICE_INTENTIONS.kind || before === undefined) return entry;
  const sourcesOf = (each: object) => (each as ServiceIntentions).Sources ?? [];
  const here = sourcesOf(before).filter(isHere);
  const known = new Map(here.map((source) => [fold(source.Name), source]));
  const isOfAll = entry.Name !== before.Name || !sameJson(entry['JWT'], before['JWT']);
  const now = { updatedAt: state.t, ModifyIndex: state.index };
  const Sources = sourcesOf(entry).map((source) => {
    const old = isHere(source) ? known.get(fold(source.Name)) : undefined;
    if (old?.legacy === undefined) return source;
    const isOther = dates === true && (isOfAll || !sameIntention(old, source));
    return withFields(source, { legacy: isOther ? withFields(old.legacy, now) : old.legacy });
  });
  return withFields(entry, { Sources });
}

/** As far as clients of 1.8 are shown it. */
function sameIntention(a: SourceIntention, b: SourceIntention): boolean {
  const shown = (each: SourceIntention) => {
    const { Name, Action = '', Description = '', Permissions = [] } = each;
    return [Name, Action, Description, Permissions];
  };
  return sameJson(shown(a), shown(b));
}

/** Who says how a service is scaled would wait in vain. */
function refuseUnmeasured({ configEntries }: State, { Kind, Name }: ConfigEntryDefinition): void {
  if (Kind !== SERVICE_SCALING.kind || configEntries.countOf(Kind) < MAX_SCALED) return;
  throw new Refusal(
    `cannot create a ${quote(Kind)} config entry with name ${quote(Name)}: ${MAX_SCALED} services are scaled, and no more are measured`,
  );
}

const GATEWAYS = [INGRESS_GATEWAY.kind, TERMINATING_GATEWAY.kind];

/** A gateway is of one kind: its services are found by its name. */
function refuseOtherGateway({ configEntries }: State, { Kind, Name }: ConfigEntryDefinition): void {
  if (!GATEWAYS.includes(Kind)) return;
  const other = GATEWAYS.find(
    (kind) => kind !== Kind && configEntries.get(kind, Name) !== undefined,
  );
  if (other === undefined) return;
  throw new Refusal(
    `cannot create a ${quote(Kind)} config entry with name ${quote(Name)}, a ${quote(other)} config entry with that name already exists`,
  );
}

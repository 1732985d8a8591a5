/** Intentions one by one, as clients of 1.8 write them: in the entries named after their destinations. */

import type { Intention, IntentionDefinition } from '../../lib/config-entries/entry.ts';
import {
  intentionsIn,
  isHere,
  sourceOf,
  spokenIntention,
} from '../../lib/config-entries/intentions.ts';
import {
  SERVICE_INTENTIONS,
  type ServiceIntentions,
  type SourceIntention,
} from '../../lib/config-entries/kinds/service-intentions.ts';
import { quote } from '../../lib/go-literals.ts';
import { MAX_LISTED } from '../../lib/limits.ts';
import { withFields } from '../../lib/with-fields.ts';
import type { DeleteIntention, SetIntention } from '../config-commands.ts';
import type { ConfigEntries } from './config-entries.ts';
import { APPLIED, type Outcome, Refusal } from './outcome.ts';
import type { State } from './state.ts';
import { fold } from './topic-names.ts';

export function setIntention(state: State, { intention, how }: SetIntention): Outcome {
  const { configEntries } = state;
  const same = namedAs(configEntries, intention);
  const known = intentionById(configEntries, intention.ID);
  const before = how === 'upsert' ? same : known;
  // An id is one intention's.
  if (how === 'upsert' && known !== undefined && known.ID !== same?.ID) {
    throw new Refusal(`duplicate intention found: ${spokenIntention(known)}`);
  }
  if (how === 'update' && before === undefined) {
    throw new Refusal(`Cannot modify non-existent intention: '${intention.ID}'`);
  }
  if (how !== 'upsert' && same !== undefined && same.ID !== before?.ID) {
    throw new Refusal(`duplicate intention found: ${spokenIntention(same)}`);
  }
  const isMoved =
    before !== undefined && fold(before.DestinationName) !== fold(intention.DestinationName);
  if (isMoved) take(state, before);
  const made = withFields(intention, {
    ID: before?.ID ? before.ID : intention.ID,
    createdAt: before?.createdAt || state.t,
    updatedAt: state.t,
    CreateIndex: before?.CreateIndex ?? state.index,
    ModifyIndex: state.index,
  });
  put(state, made, isMoved ? undefined : before);
  return APPLIED;
}

export function deleteIntention(state: State, { which }: DeleteIntention): Outcome {
  const { configEntries } = state;
  const byId = 'ID' in which;
  const before = byId ? intentionById(configEntries, which.ID) : namedAs(configEntries, which);
  if (before !== undefined) take(state, before);
  else if (byId) throw new Refusal(`Cannot delete non-existent intention: '${which.ID}'`);
  return APPLIED;
}

export function intentionById(entries: ConfigEntries, id: string): Intention | undefined {
  const destination = entries.destinationOf(id);
  return destination === undefined
    ? undefined
    : of(entries, destination).find(({ ID }) => ID === id);
}

type Named = Pick<IntentionDefinition, 'SourceName' | 'DestinationName'>;

export function namedAs(entries: ConfigEntries, { SourceName, DestinationName }: Named) {
  const name = fold(SourceName);
  return of(entries, DestinationName).find((each) => fold(each.SourceName) === name);
}

function of(entries: ConfigEntries, destination: string): Intention[] {
  const entry = entries.entryOf(SERVICE_INTENTIONS, destination);
  return entry === undefined ? [] : intentionsIn(entry);
}

/** `before`: what it stands in the place of. Its entry stays, with all else that it says. */
function put(state: State, intention: Intention, before: Named | undefined): void {
  const { configEntries } = state;
  const { DestinationName: Name, CreateIndex, ModifyIndex } = intention;
  const entry = configEntries.entryOf(SERVICE_INTENTIONS, Name);
  const source = sourceOf(intention);
  const names = before === undefined ? [source.Name] : [source.Name, before.SourceName];
  const others = withoutSources(entry, names);
  // As a body's: each change is one of the whole list, and nobody could write back a longer one.
  if (others.length >= MAX_LISTED) {
    throw new Refusal(`intentions on calls to ${quote(Name)} have ${MAX_LISTED} sources at most`);
  }
  configEntries.put({
    Kind: SERVICE_INTENTIONS.kind,
    Name,
    CreateIndex,
    ...entry,
    Sources: [...others, source].sort(byPrecedence),
    ModifyIndex: Math.max(ModifyIndex, entry?.ModifyIndex ?? 0),
  });
}

function byPrecedence(a: SourceIntention, b: SourceIntention): number {
  return b.Precedence - a.Precedence || (a.Name < b.Name ? -1 : Number(a.Name > b.Name));
}

/** Those of other clusters may have the same name: no intention is about them. */
function withoutSources(entry: ServiceIntentions | undefined, names: readonly string[]) {
  const gone = new Set(names.map(fold));
  return (entry?.Sources ?? []).filter((each) => !isHere(each) || !gone.has(fold(each.Name)));
}

function take(state: State, { SourceName, DestinationName }: Named): void {
  const { configEntries } = state;
  const entry = configEntries.entryOf(SERVICE_INTENTIONS, DestinationName);
  if (entry === undefined) return;
  const Sources = withoutSources(entry, [SourceName]);
  // Without a source it says nothing.
  if (Sources.length === 0) configEntries.delete(entry.Kind, entry.Name);
  else configEntries.put(withFields(entry, { Sources, ModifyIndex: state.index }));
}

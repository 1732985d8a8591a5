/** What targets of notices were told last, so that a new leader knows what is still to be told. */
import type { NoticesBegun, NoticesTold } from '../notice-commands.ts';
import { APPLIED, NOT_APPLIED, type Outcome } from './outcome.ts';
import type { State } from './state.ts';
import { fold } from './topic-names.ts';

/** A target's name has no space. */
export function toldKey(target: string, service: string): string {
  return `${target} ${fold(service)}`;
}

/** Nobody reads it but the leader, so that it touches nothing; nor does the next. */
export function noticesBegun(state: State, { term, target, services }: NoticesBegun): Outcome {
  if (term !== state.leadership.term) return NOT_APPLIED;
  for (const Service of services) {
    const key = toldKey(target, Service);
    const Status = state.told.get(key)?.Status ?? 'absent';
    state.told.set(key, { Target: target, Service, Status, Doubt: true });
  }
  return APPLIED;
}

/** Of these services there is no doubt any more. */
export function noticesTold(state: State, { term, target, told }: NoticesTold): Outcome {
  if (term !== state.leadership.term) return NOT_APPLIED;
  for (const [Service, Status] of told) {
    const key = toldKey(target, Service);
    if (Status === 'absent') state.told.delete(key);
    else state.told.set(key, { Target: target, Service, Status });
  }
  return APPLIED;
}

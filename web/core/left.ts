/**
 * When somebody last logged out on this device, by a name that means nothing: what a tab has kept from before is his who
 * left. A tab that is elsewhere just then, closed or put away, is told nothing, and a browser gives it back all it kept. By the
 * name alone nobody knows whose that was: somebody else's tab that was not told forgets it too.
 */
import { forgetTab, stored } from './stored.ts';

const last = stored('left');
const knownHere = stored('left', 'session');

/** Before anything that this tab has kept is looked at. */
export function forgetWhoLeft(): void {
  if (last.read() === knownHere.read()) return;
  forgetTab();
  stay(last.read());
}

export function someoneLeaves(name: string): void {
  last.write(name);
  stay(name);
}

/** Of who left by this name nothing is kept here any more, or it was somebody else: what this tab keeps stays. */
export function stay(name: string): void {
  knownHere.write(name);
}

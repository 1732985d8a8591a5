import { createHash } from 'node:crypto';
import { dump, Restoring } from '../../../server/state/snapshot.ts';
import type { State } from '../../../server/state/state.ts';

/** Where the log stands and which proposals it has seen: these move with every entry. */
interface Head {
  readonly head?: Record<string, unknown>;
}

/**
 * What two states must share to answer alike for ever. Rows in any order: an entry that is taken
 * back may leave one behind the others, which nobody sees.
 */
export function stateHash(state: State): string {
  return hashOf([...dump(state)]);
}

/** The same without the position: entries that do nothing leave it as it is. */
export function contentHash(state: State): string {
  const [first = '', ...lines] = dump(state);
  // What is being restored is not there yet, and goes when nobody goes on with it.
  const rest = lines.filter((line) => !line.startsWith('{"staged'));
  const { head } = JSON.parse(first) as Head;
  const { leadership, events, delays, aclBootstrapIndex } = head ?? {};
  const kept = { leadership, events, delays, aclBootstrapIndex };
  return hashOf([JSON.stringify(kept), ...rest]);
}

function hashOf(lines: string[]): string {
  const hash = createHash('sha256');
  for (const line of lines.sort()) hash.update(line).update('\n');
  return hash.digest('hex');
}

/** What a server has that was started from this one's snapshot. */
export function restored(state: State): State {
  const restoring = new Restoring();
  for (const line of dump(state)) restoring.add(line);
  return restoring.finish();
}

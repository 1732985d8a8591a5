/** Applies what the mesh's authority has written. */
import { withFields } from '../../lib/with-fields.ts';
import type { ReapCaRoots, SetCaConfig, SetCaRoot } from '../connect-commands.ts';
import { sameRow } from './catalog.ts';
import { APPLIED, NOT_APPLIED, type Outcome } from './outcome.ts';
import type { State } from './state.ts';

export function setCaConfig(state: State, { config, leafTtlMs, replaces }: SetCaConfig): Outcome {
  const { authority, index } = state;
  const before = authority.config;
  if ((before?.ModifyIndex ?? 0) !== replaces) return NOT_APPLIED;
  const row = withFields(config, { CreateIndex: before?.CreateIndex ?? index, ModifyIndex: index });
  if (before !== undefined && sameRow(before, row)) return APPLIED;
  authority.configs.set('config', row);
  const key = authority.keys.get(authority.activeRoot?.ID ?? '');
  // What is signed from now on may be valid for longer than what was.
  if (key !== undefined && leafTtlMs > key.leafTtlMs) {
    authority.keys.set(key.root, withFields(key, { leafTtlMs }));
  }
  return APPLIED;
}

/** What the root before it has signed is valid for a while, and so is that root. */
const LIFETIMES_AFTER = 2;

export function setCaRoot(state: State, { root, key, replaces }: SetCaRoot): Outcome {
  const { authority, index, t } = state;
  const before = authority.activeRoot;
  if ((before?.ID ?? '') !== replaces) return NOT_APPLIED;
  if (before !== undefined) {
    authority.roots.set(before.ID, withFields(before, { Active: false, ModifyIndex: index }));
    const old = authority.keys.get(before.ID);
    if (old !== undefined) {
      const goesAt = t + LIFETIMES_AFTER * old.leafTtlMs;
      // It signs nothing any more, and nobody is to find it.
      authority.keys.set(before.ID, withFields(old, { privateKey: '', goesAt }));
    }
  }
  // One that was active before may be so again.
  const CreateIndex = authority.roots.get(root.ID)?.CreateIndex ?? index;
  authority.roots.set(root.ID, withFields(root, { Active: true, CreateIndex, ModifyIndex: index }));
  authority.keys.set(root.ID, withFields(key, { root: root.ID, goesAt: 0 }));
  return APPLIED;
}

export function reapCaRoots({ authority, leadership, t }: State, command: ReapCaRoots): Outcome {
  if (command.term !== leadership.term) return NOT_APPLIED;
  for (const id of command.roots) {
    const goesAt = authority.keys.get(id)?.goesAt ?? 0;
    if (authority.roots.get(id)?.Active === true || goesAt === 0 || goesAt > t) continue;
    authority.roots.delete(id);
    authority.keys.delete(id);
  }
  return APPLIED;
}

/** Nothing changes by it: the log has counted one further. */
export function takeSerial({ index }: State): Outcome {
  return { applied: true, index };
}

import type { Command, KvOp } from '../../../server/commands.ts';
import type { Proposal } from '../../../server/log/event-log.ts';
import { encodeProposal } from '../../../server/log/payload.ts';

/** A write of one key; `op` holds what matters to the case. */
export function kvCommand(key: string, op: Partial<KvOp> = {}): Command {
  const plain = { verb: 'set', value: null, flags: 0, index: 0, session: '' };
  return { type: 'kv', op: { ...plain, key, ...op } };
}

/** A proposal to write the key that is its id. */
export function proposal(id: string, op: Partial<KvOp> = {}): Proposal {
  return encodeProposal(id, kvCommand(id, op));
}

/** `count` proposals named `prefix-0` and so on. */
export function proposals(prefix: string, count: number): Proposal[] {
  return Array.from({ length: count }, (_, i) => proposal(`${prefix}-${i}`));
}

/** Likewise, with a value of so many bytes, as base64. */
export function largeProposal(id: string, bytes: number): Proposal {
  return proposal(id, { value: 'x'.repeat(bytes) });
}

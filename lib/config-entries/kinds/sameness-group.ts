import type { ConfigEntryDefinition } from '../entry.ts';
import { always, flag, list, text } from '../fields.ts';
import { firstFault, firstTwice, HEAD, type Kind, META } from '../kind.ts';

interface SamenessGroup extends ConfigEntryDefinition {
  readonly Members: readonly { readonly Partition?: string; readonly Peer?: string }[] | null;
}

export const SAMENESS_GROUP: Kind<SamenessGroup> = {
  kind: 'sameness-group',
  says: 'which partitions and peers have the same services',
  changedBy: 'mesh',
  seenBy: 'mesh',
  fields: {
    ...HEAD,
    DefaultForFailover: flag,
    IncludeLocal: flag,
    Members: always(list({ Partition: text, Peer: text })),
    ...META,
  },
  fault: ({ Name, Members }) => {
    if (Name === '') return 'name is required';
    const members = Members ?? [];
    if (members.length === 0) return 'sameness groups must have at least one member';
    const fault = firstFault(members, (each, i) =>
      Object.keys(each).length === 1
        ? undefined
        : `Members[${i}] must define either Peer or Partition`,
    );
    const twice = firstTwice(members.map((each) => JSON.stringify(each)));
    return fault ?? (twice && `sameness group members cannot be duplicated: ${twice}`);
  },
};

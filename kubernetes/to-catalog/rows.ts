/** What is kept of the node as the catalog shows it: others may have written very much there. */
import { objectIn, type Said, textIn } from '../api/shapes.ts';
import { OWNER_META, SOURCE, SOURCE_META } from '../ours.ts';
import { NAMESPACE_META } from './instances.ts';
import { MAX_NODE_BYTES } from './room.ts';

export interface RegisteredRow {
  /** With its ModifyIndex: nothing is written over what is newer than what is known. */
  readonly service: Said;
  readonly checks: ReadonlyMap<string, Said>;
}

/** Instances and checks, as one answer shows them. */
export interface Shown {
  readonly services: readonly Said[];
  readonly checks: readonly Said[];
}

/** A row of another owner that is kept takes as much. */
const OTHER_BYTES = 512;
const MAX_OTHERS = Math.floor(MAX_NODE_BYTES / OTHER_BYTES);

/**
 * For one read of the node, which may come in several parts: what is compared, and not what a server adds. Of rows of another
 * owner whose they are, and of no more of them than find room: what is not known is written only where there is nothing.
 */
export function keeping(owner: string, mostOthers = MAX_OTHERS): (shown: Shown) => Shown {
  let others = 0;
  return ({ services, checks }) => {
    const whole = new Set<string>();
    const kept = services.flatMap((service): Said[] => {
      const row = fieldsOf(service, SERVICE_FIELDS);
      const of = ownerOf({ service: row });
      if (of !== owner && ++others > mostOthers) return [];
      // What consul-k8s left is taken over where it is wanted.
      if (of !== owner && of !== '') return [briefly(row)];
      whole.add(textIn(row['ID']));
      return [row];
    });
    const theirs = checks.filter((check) => whole.has(textIn(check['ServiceID'])));
    return { services: kept, checks: theirs.map((check) => fieldsOf(check, CHECK_FIELDS)) };
  };
}

/** By id, of what is kept. */
export function rowsIn({ services, checks }: Shown): Map<string, RegisteredRow> {
  const of = new Map<string, Map<string, Said>>();
  for (const check of checks) {
    const id = textIn(check['ServiceID']);
    const known = of.get(id) ?? new Map<string, Said>();
    of.set(id, known.set(textIn(check['CheckID']), check));
  }
  return new Map(
    services.map((service) => {
      const id = textIn(service['ID']);
      return [id, { service, checks: of.get(id) ?? NONE }];
    }),
  );
}

/** Whose a row is: ours, of a consul-k8s before us that is taken over, or somebody else's. */
export function ownerOf({ service }: Pick<RegisteredRow, 'service'>): string {
  const meta = objectIn(service['Meta']);
  const owner = textIn(meta[OWNER_META]);
  if (owner !== '') return owner;
  return meta[SOURCE_META] === SOURCE ? '' : 'nobody that marks it';
}

const NONE: RegisteredRow['checks'] = new Map();
const SERVICE_FIELDS = 'ID Service Address Port Tags Meta Weights ModifyIndex'.split(' ');
const CHECK_FIELDS = ['ServiceID', 'CheckID', 'Name', 'Status', 'Notes', 'Output'];

function briefly(service: Said): Said {
  const Meta = fieldsOf(objectIn(service['Meta']), [OWNER_META, SOURCE_META, NAMESPACE_META]);
  return { ...fieldsOf(service, ['ID', 'Service', 'ModifyIndex']), Meta };
}

function fieldsOf(said: Said, fields: readonly string[]): Said {
  const there = fields.filter((field) => Object.hasOwn(said, field));
  return Object.fromEntries(there.map((field) => [field, said[field]]));
}

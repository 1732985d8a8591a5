import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  SERVICE_INTENTIONS,
  type ServiceIntentions,
} from '../../../lib/config-entries/kinds/service-intentions.ts';
import { ConfigEntries } from '../../../server/state/config-entries.ts';
import { Journal } from '../../../server/state/table.ts';
import { Topics } from '../../../server/state/topics.ts';
import { SEED } from '../../support/seed.ts';

const CALLERS = ['web', 'Web', 'api', '*'];
const caller = fc.constantFrom(...CALLERS);
const change = fc.record({
  Name: fc.constantFrom('db', 'DB', 'cache', '*'),
  from: fc.option(fc.array(caller, { maxLength: 3 })),
});
const changes = fc.array(change, { maxLength: 12 });
type Changes = readonly { readonly Name: string; readonly from: readonly string[] | null }[];

function write(entries: ConfigEntries, all: Changes): void {
  for (const { Name, from } of all) {
    const { kind: Kind } = SERVICE_INTENTIONS;
    if (from === null) entries.delete(Kind, Name);
    else {
      const Sources = from.map((each) => ({ Name: each, Precedence: 9, Type: 'consul' }));
      entries.put({ Kind, Name, Sources, CreateIndex: 1, ModifyIndex: 1 });
    }
  }
}

/** By looking at each. */
function looked(entries: ConfigEntries, service: string): readonly object[] {
  const isAbout = ({ Name }: { readonly Name: string }) =>
    Name === '*' || Name.toLowerCase() === service.toLowerCase();
  return [...entries.ofKind(SERVICE_INTENTIONS.kind)].filter((entry) =>
    (entry as unknown as ServiceIntentions).Sources?.some(isAbout),
  );
}

describe(`entries with intentions about a caller (seed ${SEED})`, () => {
  it('are those that a look at all of them finds, each once, also where changes were taken back', () => {
    const check = (entries: ConfigEntries) => {
      for (const each of CALLERS) {
        const found = [...entries.intentionsFrom(each)];
        assert.deepEqual(new Set(found), new Set(looked(entries, each)));
        assert.equal(found.length, new Set(found).size);
      }
    };
    fc.assert(
      fc.property(changes, changes, (kept, takenBack) => {
        const journal = new Journal();
        const entries = new ConfigEntries(journal, new Topics());
        write(entries, kept);
        check(entries);
        journal.commit();
        write(entries, takenBack);
        journal.rollback();
        check(entries);
      }),
      { seed: SEED },
    );
  });
});

import assert from 'node:assert/strict';
import { SHORT, SLICE } from '../../../lib/long-turns.ts';
import type { UserEvent } from '../../../lib/model.ts';
import { eventsIn } from '../../../server/query/events.ts';
import type { Reader } from '../../../server/query/reader.ts';

/** What looking for them takes, in the steps in which it is done. */
function look(services: readonly string[], filters: readonly string[]) {
  const events = filters.map((ServiceFilter, n) => {
    return { ID: `${n}`, Name: 'deploy', NodeFilter: '', ServiceFilter, TagFilter: '' };
  });
  const on = services.map((Service) => ({ Service, Tags: [] }));
  const reader = { events: () => events, instancesThatTell: () => on } as unknown as Reader;
  const steps = eventsIn(reader, 'n1', '');
  const took: number[] = [];
  for (;;) {
    const next = steps.next();
    if (next.done === true) return { took, found: next.value as readonly UserEvent[] };
    took.push(next.value);
  }
}

const names = (count: number) => Array.from({ length: count }, (_, n) => `service-${n}`);

describe('user events for a node', () => {
  it('are looked for in slices, where there are many services on it and many events for some', () => {
    const { took, found } = look(names(2000), [...names(200).map((name) => `^${name}$`), 'nobody']);
    assert.equal(found.length, 200);
    const sum = took.reduce((all, each) => all + each, 0);
    assert(sum > 10 * SLICE, `${sum}`);
    assert(Math.max(...took) <= SHORT, `${Math.max(...took)}`);
  });

  it('are looked for once for many instances of one service', () => {
    const { took, found } = look(new Array(20_000).fill('web'), ['^web$', 'api']);
    assert.deepEqual([found.length, took.length], [1, 4]);
  });
});

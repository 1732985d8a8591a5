import assert from 'node:assert/strict';
import { decodeJson, encodeJson } from '../../../lib/json.ts';
import type { Command, StagedRow } from '../../../server/commands.ts';
import { apply } from '../../../server/state/apply.ts';
import { State } from '../../../server/state/state.ts';
import { RESTORED } from '../../../server/state/tables.ts';
import { checkNamed, nodeNamed, serviceNamed } from '../../support/factories.ts';
import { liveBytes } from '../../support/heap.ts';

/** A state, and what changes it: each command as the log gives it back. */
class Changed {
  state = new State();
  #index = 0;

  do(command: Command): void {
    this.#index++;
    const place = { index: this.#index, t: 1000 * this.#index, epoch: 1, size: 0 };
    const read = decodeJson(encodeJson(command)) as Command;
    const { state, outcome } = apply(this.state, { ...place, id: '', hash: '', command: read });
    assert.equal(outcome.refused, undefined);
    this.state = state;
  }

  fill(instances: number, node = 'n'): void {
    for (let i = 0; i < instances; i++) {
      this.do({
        type: 'register',
        node: nodeNamed(`${node}${Math.floor(i / 17)}`),
        skipNodeUpdate: false,
        service: serviceNamed(`web-${i % 100}`, { ID: `s${i}` }),
        checks: [checkNamed(`c${i}`, { ServiceID: `s${i}` })],
      });
    }
  }

  key(key: string, value: string | null): void {
    const verb = value === null ? 'delete' : 'set';
    const op = { verb, key, value, flags: 0, index: 0, session: '' };
    this.do({ type: 'kv', op });
  }

  begin(onto: boolean): void {
    const how = onto ? { onto: true as const } : {};
    this.do({ type: 'begin-restore', restore: 'r', index: this.state.index, ...how });
  }

  stage(rows: readonly StagedRow[]): void {
    this.do({ type: 'stage-rows', restore: 'r', part: this.state.staging?.parts ?? 0, rows });
  }

  end(): void {
    this.do({ type: 'end-restore', restore: 'r', parts: this.state.staging?.parts ?? 0 });
  }

  /** All that an archive has, in the text that the log would hold. */
  saved(): StagedRow[] {
    return Object.entries(RESTORED).flatMap(([kind, { rows }]) =>
      [...rows(this.state)].map((row) => decodeJson(encodeJson({ [kind]: row })) as StagedRow),
    );
  }

  contents(): string[] {
    return this.saved()
      .map((row) => encodeJson(row))
      .sort();
  }
}

for (const onto of [true, false]) {
  describe(`a restore ${onto ? 'onto the state' : 'into a second state'}`, () => {
    function start() {
      const changed = new Changed();
      changed.fill(40);
      changed.key('a', 'MQ==');
      changed.key('b', 'Mg==');
      return { changed, saved: changed.saved(), before: changed.contents() };
    }

    it('brings back what was changed, and takes out what came since', () => {
      const { changed, saved, before } = start();
      changed.key('a', 'Mw==');
      changed.key('c', 'Mw==');
      changed.do({ type: 'deregister', node: 'n0' });
      changed.begin(onto);
      changed.stage(saved);
      changed.end();
      assert.deepEqual(changed.contents(), before);
      assert.equal(
        changed.state.catalog.instancesOf('web-3')[Symbol.iterator]().next().done,
        false,
      );
    });

    it('undoes what others change while it goes on', () => {
      const { changed, saved, before } = start();
      changed.begin(onto);
      changed.stage(saved.slice(0, 50));
      changed.key('a', 'OTk=');
      changed.key('b', null);
      changed.key('c', 'OTk=');
      changed.stage(saved.slice(50));
      changed.key('a', null);
      changed.do({ type: 'deregister', node: 'n1' });
      changed.fill(3, 'new');
      changed.end();
      assert.deepEqual(changed.contents(), before);
    });

    it('leaves nothing with an index from before', () => {
      const { changed, saved } = start();
      changed.key('gone', 'MQ==');
      changed.key('gone', null);
      changed.begin(onto);
      changed.stage(saved);
      changed.end();
      const { topics, kv, index } = changed.state;
      assert.deepEqual([topics.floor, topics.indexOf('catalog')], [index, index]);
      assert.deepEqual([kv.indexOf('gone'), kv.indexUnder('')], [index, index]);
    });

    it('changes nothing until it ends, and nothing at all where it does not', () => {
      const { changed, saved } = start();
      changed.key('c', 'Mw==');
      const before = changed.contents();
      changed.begin(onto);
      changed.stage(saved);
      assert.deepEqual(changed.contents(), before);
      changed.begin(onto);
      assert.deepEqual(changed.contents(), before);
    });
  });
}

describe('the memory of a restore', function () {
  // All memory is collected several times.
  this.timeout(60_000);
  const INSTANCES = 3000;

  async function growth(onto: boolean): Promise<number> {
    const changed = new Changed();
    const { heap: none } = await liveBytes();
    changed.fill(INSTANCES);
    const { heap: before } = await liveBytes();
    changed.begin(onto);
    // Part by part, as they come: nobody holds all of them.
    const rows = changed.saved();
    while (rows.length > 0) changed.stage(rows.splice(-200));
    const { heap: staged } = await liveBytes();
    changed.end();
    return (staged - none) / (before - none);
  }

  it('is little more than before, where most is there as it is to be', async () => {
    const times = await growth(true);
    assert(times < 1.3, `× ${times.toFixed(2)}`);
  });

  it('is that of the lookups alone, where a second state is made: its rows are shared', async () => {
    const times = await growth(false);
    assert(times < 1.8, `× ${times.toFixed(2)}`);
  });
});

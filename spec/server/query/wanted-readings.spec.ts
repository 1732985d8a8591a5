import assert from 'node:assert/strict';
import { decodeEntry } from '../../../lib/config-entries/kinds.ts';
import { NO_LOAD, STEP_MS } from '../../../lib/load.ts';
import type { Command } from '../../../server/commands.ts';
import { WantedReadings } from '../../../server/query/scale.ts';
import { apply } from '../../../server/state/apply.ts';
import { State } from '../../../server/state/state.ts';

/** Services that are each used more than is aimed at, from a step on. */
function scaledServices(count: number) {
  const state = new State();
  const propose = (t: number, command: Command) => {
    const index = state.index + 1;
    apply(state, { index, epoch: 1, t, id: '', hash: 'h', size: 1, command });
  };
  const names = Array.from({ length: count }, (_, i) => `web-${i}`);
  for (const Name of names) {
    const entry = decodeEntry({ Kind: 'service-scaling', Name, Max: 100, CPUPercent: 50 });
    propose(1, { type: 'set-config-entry', entry });
  }
  const tell = (step: number) => {
    const load = { ...NO_LOAD, told: 4, ms: 4 * STEP_MS, cpuMs: 4 * STEP_MS };
    const loads = names.map((name) => [name, load] as const);
    propose(step * STEP_MS, { type: 'load-heard', step, loads });
  };
  return { state, tell };
}

describe('how many instances are wanted, as a metric', () => {
  it('is told of every service, and is reckoned anew once in a while, never of all at once', () => {
    const { state, tell } = scaledServices(500);
    const readings = new WantedReadings();
    const values = (step: number) => readings.of(state, step * STEP_MS + 1).map((r) => r.value);
    assert.deepEqual([values(1).length, Math.max(...values(1))], [500, 1]);
    tell(1);
    const risen = () => values(2).filter((value) => value > 1).length;
    assert.deepEqual([risen(), risen(), risen()], [200, 400, 500]);
    // What is the same is not reckoned again.
    assert.equal(risen(), 500);
  });

  it('is told by a server that leads alone, and of no entry that is there no more', () => {
    const { state } = scaledServices(2);
    const readings = new WantedReadings();
    assert.equal(readings.of(state, 1).length, 2);
    assert.deepEqual(readings.none(), []);
    const command: Command = {
      type: 'delete-config-entry',
      kind: 'service-scaling',
      name: 'web-0',
    };
    apply(state, { index: 3, epoch: 1, t: 1, id: '', hash: 'h', size: 1, command });
    assert.deepEqual(
      readings.of(state, 1).map(({ labels }) => labels.service),
      ['web-1'],
    );
  });
});

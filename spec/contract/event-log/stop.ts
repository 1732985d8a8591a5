import assert from 'node:assert/strict';
import { proposal, proposals } from '../../support/experiments/proposals.ts';
import type { CaseOf } from './log-case.ts';

export function describeStop(caseOf: CaseOf): void {
  describe('stop', () => {
    it('is safe to call twice, at once and one after the other', async () => {
      const { log } = await caseOf().restart();
      await Promise.all([log.stop(), log.stop()]);
      await log.stop();
    });

    it('is safe before a start', async () => {
      await caseOf().open().stop();
    });

    it('settles an append under way: written, or refused and not written', async () => {
      const { log } = await caseOf().restart();
      const appended = log.append(proposals('a', 20)).then(
        () => true,
        (error: { code?: string }) => {
          assert.equal(error.code, 'unavailable');
          return false;
        },
      );
      await log.stop();
      const written = await appended;
      const { sink } = await caseOf().restart();
      assert.equal(sink.entries.length, written ? 20 : 0);
    });

    it('feeds nothing afterwards', async () => {
      const { log, sink } = await caseOf().restart();
      await log.append([proposal('a')]);
      await log.stop();
      const fed = sink.entries.length;
      await caseOf().restart();
      assert.equal(sink.entries.length, fed);
    });

    it('makes it refuse what it certainly did not write', async () => {
      const { log, sink } = await caseOf().restart();
      await log.stop();
      await assert.rejects(log.append([proposal('a')]), { code: 'unavailable' });
      await assert.rejects(async () => await log.readIndex(), { code: 'unavailable' });
      const snapshot = { position: sink.position, lines: [] };
      await assert.rejects(log.saveSnapshot(snapshot), { code: 'unavailable' });
      assert.equal(log.status().writable, false);
      assert.deepEqual((await caseOf().restart()).sink.entries, []);
    });

    it('is as good as not having started', async () => {
      const log = caseOf().open();
      await assert.rejects(log.append([proposal('a')]), { code: 'unavailable' });
      await assert.rejects(async () => await log.readIndex(), { code: 'unavailable' });
      assert.equal(log.status().writable, false);
    });
  });
}

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { tapLog } from '../../lib/log-tap.ts';
import { createLogger } from '../../lib/logger.ts';
import { settle } from '../support/fakes/fake-clock.ts';

describe('the log, for whoever listens', () => {
  it('goes to a hundred of them, and Node warns of no leak', async () => {
    const warnings: string[] = [];
    const warned = ({ name }: Error) => void warnings.push(name);
    process.on('warning', warned);
    const logger = createLogger({ level: 'err', json: false, stream: new PassThrough() });
    const lines: string[] = [];
    const ends = Array.from({ length: 100 }, () =>
      tapLog(logger, { level: 'info', json: false }, (l) => lines.push(l)),
    );
    logger.info('agent: hello');
    await settle();
    for (const end of ends) end();
    process.off('warning', warned);
    assert.equal(lines.length, 100);
    assert.deepEqual(warnings, []);
  });
});

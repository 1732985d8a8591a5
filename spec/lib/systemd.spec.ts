import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../lib/logger.ts';
import { tellingSystemd } from '../../lib/systemd.ts';
import { until } from '../support/until.ts';

describe('systemd', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'manager-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const setUp = (notifier: string) => {
    writeFileSync(join(folder, 'systemd-notify'), `#!/bin/sh\n${notifier}\n`, { mode: 0o755 });
    const warned: unknown[] = [];
    const logger = { ...silentLogger, warn: (_: string, more?: object) => void warned.push(more) };
    const env = { PATH: `${folder}:/usr/bin:/bin`, NOTIFY_SOCKET: '/run/notify' };
    return { tell: tellingSystemd(env, logger), warned };
  };

  it('is told by systemd-notify, which knows the socket', async () => {
    const { tell, warned } = setUp(
      `echo "$NOTIFY_SOCKET $*" > ${folder}/told.new; mv ${folder}/told.new ${folder}/told`,
    );
    tell('READY=1');
    const told = () => {
      try {
        return readFileSync(join(folder, 'told'), 'utf8');
      } catch {
        return '';
      }
    };
    await until(() => told() === '/run/notify READY=1\n', told);
    assert.deepEqual(warned, []);
  });

  it('that cannot be told is worth a warning, and no more', async () => {
    const { tell, warned } = setUp('echo no such socket >&2; exit 1');
    tell('READY=1');
    await until(() => warned.length === 1);
    assert.deepEqual(warned, [{ state: 'READY=1', error: 'exit status 1 no such socket' }]);
  });

  it('that is not there is told nothing', () => {
    tellingSystemd({ PATH: '/nowhere' }, silentLogger)('READY=1');
  });
});

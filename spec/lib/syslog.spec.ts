import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../lib/logger.ts';
import { Syslog } from '../../lib/syslog.ts';
import { until } from '../support/until.ts';

describe('the log in syslog', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'syslog-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** In the place of `logger`: keeps what it is given, arguments first. */
  async function program(script: string): Promise<string> {
    const path = join(folder, 'logger');
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return path;
  }

  const kept = () => readFile(join(folder, 'kept'), 'utf8').catch(() => '');

  it('has each line with its grade, without a time of its own, and nothing after the end', async () => {
    const syslog = await Syslog.open({
      facility: 'LOCAL3',
      program: await program(`echo "$@" > ${folder}/kept; cat >> ${folder}/kept`),
    });
    const logger = createLogger({ level: 'info', json: false, syslog, console: false });
    logger.error('redis: it is full');
    logger.warn('agent: Check is now critical', { check: 'a\nb' });
    logger.debug('agent: unsaid');
    logger.info('agent: 100 %');
    await new Promise<void>((resolve) => void syslog.end(resolve));
    await until(async () => (await kept()).endsWith('%\n'));
    assert.deepEqual((await kept()).split('\n'), [
      '--prio-prefix -t proconsul -p local3.info',
      '<3>redis: it is full',
      '<4>agent: Check is now critical: check="a\\nb"',
      '<6>agent: 100 %',
      '',
    ]);
    logger.close();
  });

  it('ends nobody when what takes it has ended', async () => {
    const syslog = await Syslog.open({ facility: 'LOCAL0', program: await program('exit 1') });
    const logger = createLogger({ level: 'info', json: false, syslog, console: false });
    for (let i = 0; i < 1000; i++) {
      logger.info(`agent: ${'x'.repeat(1000)}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await new Promise<void>((resolve) => void syslog.end(resolve));
    logger.close();
  });

  it('refuses where there is no program for it, by the name of the key', async () => {
    await assert.rejects(
      Syslog.open({ facility: 'LOCAL0', program: join(folder, 'none') }),
      /^Error: enable_syslog: .*none cannot be run$|^ProconsulError: enable_syslog/,
    );
  });
});

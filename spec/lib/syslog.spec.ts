import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../lib/logger.ts';
import { Syslog } from '../../lib/syslog.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
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
      ...{ facility: 'LOCAL3', clock: new FakeClock() },
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
      '--prio-prefix --socket-errors=on --size 8KiB -t proconsul -p local3.info',
      '<3>redis: it is full',
      '<4>agent: Check is now critical: check="a\\nb"',
      '<6>agent: 100 %',
      '',
    ]);
    logger.close();
  });

  it('ends nobody when what takes it has ended', async () => {
    const own = { facility: 'LOCAL0', clock: new FakeClock() };
    const syslog = await Syslog.open({ ...own, program: await program('exit 1') });
    const logger = createLogger({ level: 'info', json: false, syslog, console: false });
    for (let i = 0; i < 1000; i++) {
      logger.info(`agent: ${'x'.repeat(1000)}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await new Promise<void>((resolve) => void syslog.end(resolve));
    logger.close();
  });

  it('says when what takes it has ended, begins it anew, and says there how many lines are missing', async () => {
    const clock = new FakeClock();
    const path = await program('echo "no /dev/log" >&2; exit 1');
    const syslog = await Syslog.open({ facility: 'LOCAL0', clock, program: path });
    const said: string[] = [];
    syslog.onLost = (why) => said.push(why);
    syslog.onBack = () => said.push('back');
    await until(() => said.length === 1);
    assert.match(said[0] ?? '', /logger: it has ended \(1\): no \/dev\/log$/);
    syslog.write('info agent: a\n');
    syslog.write('info agent: b\n');
    await program(`cat >> ${folder}/kept`);
    await clock.advance(5000);
    await clock.advance(5000);
    await until(() => said.length === 2);
    assert.equal(said[1], 'back');
    syslog.write('info agent: c\n');
    await new Promise<void>((resolve) => void syslog.end(resolve));
    const lines = ['<4>syslog: lines are missing here: count=2', '<6>agent: c', ''].join('\n');
    await until(async () => (await kept()) === lines);
  });

  it('refuses where there is no program for it, by the name of the key', async () => {
    await assert.rejects(
      Syslog.open({ facility: 'LOCAL0', clock: new FakeClock(), program: join(folder, 'none') }),
      /^Error: enable_syslog: .*none cannot be run$|^ProconsulError: enable_syslog/,
    );
  });
});

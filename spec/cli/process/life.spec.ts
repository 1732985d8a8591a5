import assert from 'node:assert/strict';
import { Life } from '../../../cli/process/life.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { until } from '../../support/until.ts';

function setUp(config = { leaveOnTerminate: true, skipLeaveOnInterrupt: true }) {
  const done: string[] = [];
  const told: string[] = [];
  const signals = new Map<string, () => void>();
  const life = new Life({
    config,
    logger: silentLogger,
    exit: (code) => void done.push(`exit ${code}`),
    onSignal: (signal, act) => void signals.set(signal, act),
    tell: (state) => void told.push(state),
  });
  life.listen();
  const running = {
    reload: async () => void done.push('reload'),
    leave: async () => void done.push('leave'),
    stop: async () => void done.push('stop'),
  };
  const send = (signal: string) => signals.get(signal)?.();
  const ended = () =>
    until(
      () => done.at(-1)?.startsWith('exit') === true,
      () => done.join(),
    );
  return { life, running, send, done, told, ended };
}

describe('Life', () => {
  it('leaves, stops and exits with 0 on SIGTERM, once', async () => {
    const { life, running, send, done, ended } = setUp();
    await life.began(running);
    send('SIGTERM');
    await ended();
    life.end('another reason');
    assert.deepEqual(done, ['leave', 'stop', 'exit 0']);
  });

  it('says that it serves once it has begun, and that it ends', async () => {
    const { life, running, send, told, ended } = setUp();
    assert.deepEqual(told, []);
    await life.began(running);
    assert.deepEqual(told, ['READY=1']);
    send('SIGTERM');
    await ended();
    assert.deepEqual(told, ['READY=1', 'STOPPING=1']);
  });

  it('does not say that it serves where it was told to end meanwhile', async () => {
    const { life, running, send, told, ended } = setUp();
    send('SIGTERM');
    await ended();
    await life.began(running);
    assert.deepEqual(told, ['STOPPING=1']);
  });

  it('stays in the catalog on SIGINT where it is told so', async () => {
    const { life, running, send, done, ended } = setUp();
    await life.began(running);
    send('SIGINT');
    await ended();
    assert.deepEqual(done, ['stop', 'exit 0']);
  });

  it('ends at once with 0 while it starts', async () => {
    const { send, done, ended } = setUp();
    send('SIGTERM');
    await ended();
    assert.deepEqual(done, ['exit 0']);
  });

  it('ends with 1 where it cannot go on', () => {
    const { life, done } = setUp();
    life.fail(new Error('broken'));
    assert.deepEqual(done, ['exit 1']);
  });

  it('takes nothing that breaks off by its end for a fault', async () => {
    const { life, running, send, done, ended } = setUp();
    await life.began(running);
    send('SIGINT');
    life.fail(new Error('No cluster leader'));
    await ended();
    assert.deepEqual(done, ['stop', 'exit 0']);
  });

  it('reloads after the start where SIGHUP came during it', async () => {
    const { life, running, send, done } = setUp();
    send('SIGHUP');
    send('SIGHUP');
    await life.began(running);
    assert.deepEqual(done, ['reload']);
  });

  it('goes on after a reload that failed, and exits with 1 after a stop that failed', async () => {
    const { life, running, send, done, ended } = setUp();
    const fails = async () => {
      throw new Error('no');
    };
    await life.began({ ...running, reload: fails, stop: fails });
    send('SIGHUP');
    life.end('the end');
    await ended();
    assert.deepEqual(done, ['exit 1']);
  });
});

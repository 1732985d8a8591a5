import assert from 'node:assert/strict';
import { WorkList } from '../../../kubernetes/to-cluster/work-list.ts';
import { systemClock } from '../../../lib/clock.ts';
import { until } from '../../support/until.ts';

function started(settle: (service: string) => Promise<void>) {
  const sure: string[] = [];
  const makeSure = async (service: string) => void sure.push(service);
  const list = new WorkList(systemClock, { settle, makeSure });
  const ending = new AbortController();
  const stop = () => ending.abort();
  return { list, sure, stop, ran: list.run(ending.signal) };
}

describe('Services that are looked at', () => {
  it('wait for none that takes its time, in its first round or a later one', async () => {
    const done: string[] = [];
    let end = () => {};
    const held = new Promise<void>((resolve) => {
      end = resolve;
    });
    const { list, stop, ran } = started(async (service) => {
      if (service === 'slow') await held;
      done.push(service);
    });
    const many = Array.from({ length: 30 }, (_, i) => `s${i}`);
    list.look(['slow', ...many]);
    await until(() => done.length === 30);
    list.look(many);
    await until(() => done.length === 60);
    assert.equal(list.size, 1);
    // Told of meanwhile, it is looked at once more, and not beside itself.
    list.look(['slow']);
    end();
    await until(() => done.filter((each) => each === 'slow').length === 2);
    stop();
    await ran;
  });

  it('are eight at a time', async () => {
    let [now, most] = [0, 0];
    const { list, stop, ran } = started(async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
    });
    list.look(Array.from({ length: 50 }, (_, i) => `s${i}`));
    await until(() => most > 0 && list.size === 0);
    assert.equal(most, 8);
    stop();
    await ran;
  });

  it('are asked for anew after all that is to be written, where they are in doubt', async () => {
    const done: string[] = [];
    const { list, sure, stop, ran } = started(async (service) => {
      if (service === 'a') list.doubt('a');
      done.push(`${service} after ${sure.length}`);
    });
    list.look(['a', ...Array.from({ length: 20 }, (_, i) => `s${i}`)]);
    await until(() => sure.length === 1);
    assert.deepEqual([done.length, done.every((each) => each.endsWith(' 0'))], [21, true]);
    stop();
    await ran;
  });

  it('end it where one fails as none should', async () => {
    const { list, ran } = started(() => Promise.reject(new TypeError('a defect')));
    list.look(['a']);
    await assert.rejects(ran, /a defect/);
  });
});

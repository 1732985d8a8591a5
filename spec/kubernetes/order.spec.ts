/** Which answer counts of several that were asked for. */
import assert from 'node:assert/strict';
import { Order } from '../../kubernetes/order.ts';

/** Questions whose answers come when they are given. */
function started() {
  const order = new Order();
  const asked: ((answer: string) => void)[] = [];
  const taken: string[] = [];
  const read = () =>
    order.read(
      () => new Promise<string>((resolve) => asked.push(resolve)),
      (answer) => taken.push(answer),
    );
  const answer = async (question: number, text: string) => {
    asked[question]?.(text);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { order, asked, taken, read, answer };
}

describe('an answer', () => {
  it('does not go over that of a question that was asked later', async () => {
    const { taken, read, answer } = started();
    const both = [read(), read()];
    await answer(1, 'new');
    await answer(0, 'old');
    await Promise.all(both);
    assert.deepEqual(taken, ['new']);
  });

  it('is asked for once more where whoever follows had one meanwhile', async () => {
    const { order, asked, taken, read, answer } = started();
    const reading = read();
    order.followed();
    await answer(0, 'old');
    assert.deepEqual([taken, asked.length], [[], 2]);
    await answer(1, 'new');
    await reading;
    assert.deepEqual(taken, ['new']);
  });

  it('is not waited for where whoever follows has had two since, of which one was asked for since', async () => {
    const { order, asked, taken, read, answer } = started();
    const reading = read();
    order.followed();
    await answer(0, 'old');
    order.followed();
    await answer(1, 'older than what follows');
    await reading;
    assert.deepEqual([taken, asked.length], [[], 2]);
  });
});

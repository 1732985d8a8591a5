/** What one stream wants of one kind, when it comes to see something else. */
import assert from 'node:assert/strict';
import { Account } from '../../xds/accounts.ts';
import { WholeSubscription } from '../../xds/serving/whole-subscription.ts';
import { Wire } from '../../xds/serving/wire.ts';

const NAMES = ['a', 'b', 'c'];

function allOf(steps: Iterator<void>): number {
  let count = 0;
  while (steps.next().done !== true) count++;
  return count;
}

describe('a subscription', () => {
  it('sees the same names again one by one, with no more room than it had', () => {
    const account = new Account({ followed: 1, subscribed: NAMES.length });
    let seen = 0;
    const subscription = new WholeSubscription({
      ...{ kind: 'endpoints', wire: new Wire(), nextNonce: () => 1, onDropped: () => undefined },
      account: () => account,
      order: { shown: (_, all) => ({ all, held: new Set(), looked: undefined }), heldOf: () => [] },
      subscribe: () => {
        account.subscribe();
        seen++;
        return { current: [], cancel: () => account.unsubscribe() };
      },
    });
    assert.equal(allOf(subscription.take({ resource_names: NAMES, response_nonce: '' })), 3);
    const steps = subscription.again();
    steps.next();
    assert.equal(seen, 4);
    assert.equal(allOf(steps), 2);
    assert.equal(seen, 6);
    assert.throws(() => account.subscribe(), /3 subscriptions already/);
  });
});

/** What one stream wants of one kind, when it comes to see something else, or wants it no more. */
import assert from 'node:assert/strict';
import { Account } from '../../xds/accounts.ts';
import { DeltaSubscription } from '../../xds/serving/delta-subscription.ts';
import type { Dealings } from '../../xds/serving/subscription.ts';
import { WholeSubscription } from '../../xds/serving/whole-subscription.ts';
import { Wire } from '../../xds/serving/wire.ts';

const NAMES = ['a', 'b', 'c'];

function allOf(steps: Iterator<void>): number {
  let count = 0;
  while (steps.next().done !== true) count++;
  return count;
}

/** Of all that is wanted it is known that it is not there. */
function dealings(account: Account, seen = (): void => undefined): Dealings {
  return {
    ...{ kind: 'endpoints', wire: new Wire(), nextNonce: () => 1, onDropped: () => undefined },
    account: () => account,
    order: { shown: (_, all) => ({ all, held: new Set(), looked: undefined }), heldOf: () => [] },
    subscribe: () => {
      account.subscribe();
      seen();
      return { current: [], cancel: () => account.unsubscribe() };
    },
  };
}

describe('a subscription', () => {
  it('sees the same names again one by one, with no more room than it had', () => {
    const account = new Account({ followed: 1, subscribed: NAMES.length });
    let seen = 0;
    const subscription = new WholeSubscription(dealings(account, () => seen++));
    assert.equal(allOf(subscription.take({ resource_names: NAMES, response_nonce: '' })), 3);
    const steps = subscription.again();
    steps.next();
    assert.equal(seen, 4);
    assert.equal(allOf(steps), 2);
    assert.equal(seen, 6);
    assert.throws(() => account.subscribe(), /3 subscriptions already/);
  });

  it('keeps nothing of what is wanted no more, or never was, however little its client reads', () => {
    const delta = new DeltaSubscription(dealings(new Account({ followed: 1 })));
    const says = (more: readonly string[], less: readonly string[]) =>
      allOf(
        delta.take({
          resource_names_subscribe: more,
          resource_names_unsubscribe: less,
          initial_resource_versions: {},
        }),
      );
    says(['a'], []);
    delta.next();
    for (let round = 0; round < 10; round++) {
      const names = NAMES.map((name) => name + round);
      says([], names);
      says(names, []);
      says([], names);
    }
    assert.equal(delta.weight, 1);

    const whole = new WholeSubscription(dealings(new Account({ followed: 1 })));
    const names = (...resource_names: string[]) =>
      allOf(whole.take({ resource_names, response_nonce: '' }));
    names('a');
    whole.next();
    for (let round = 0; round < 10; round++) names('a', `b${round}`);
    assert.equal(whole.weight, 1);
  });
});

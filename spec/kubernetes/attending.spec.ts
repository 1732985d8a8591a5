import assert from 'node:assert/strict';
import { attend, LOST } from '../../kubernetes/attending.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';

function started() {
  const clock = new FakeClock();
  const at = { isLost: false, isAnotherWell: false, isSilent: false };
  const looks: (readonly string[] | undefined)[] = [];
  const presence = {
    removeDead: async (suspects: readonly string[] | undefined) => {
      looks.push(suspects);
      return ['b'];
    },
    isAnotherWell: async () => at.isAnotherWell,
    get isSilent() {
      return at.isSilent;
    },
  };
  const ending = new AbortController();
  let end = '';
  const attending = attend(
    { presence, clock, fault: () => (at.isLost ? LOST : '') },
    ending.signal,
  ).then(
    () => {
      end = 'asked';
    },
    (error: Error) => {
      end = error.message;
    },
  );
  const passes = async (seconds: number) => {
    for (let i = 0; i < seconds * 20; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(50);
    }
    await new Promise((resolve) => setImmediate(resolve));
  };
  const stop = async () => {
    ending.abort();
    await attending;
  };
  return { at, looks, passes, stop, end: () => end };
}

describe('whoever has the turn of a sync', () => {
  it('takes out those that died, and keeps it while it reads the cluster', async () => {
    const { at, looks, passes, stop, end } = started();
    at.isAnotherWell = true;
    await passes(20);
    assert.deepEqual([looks, end()], [[undefined], '']);
    await stop();
    assert.equal(end(), 'asked');
  });

  it('looks for those that died again and again: those that it saw dead before', async () => {
    const { looks, passes, stop } = started();
    await passes(61);
    assert.deepEqual(looks, [undefined, ['b'], ['b']]);
    await stop();
  });

  it('leaves it to another that can read the cluster, where it cannot itself', async () => {
    const { at, passes, end } = started();
    Object.assign(at, { isLost: true, isAnotherWell: true });
    await passes(2);
    assert.equal(end(), '');
    await passes(3);
    assert.equal(end(), 'cannot read the cluster: another has the turn');
  });

  it('keeps it where nobody can', async () => {
    const { at, passes, stop, end } = started();
    at.isLost = true;
    await passes(60);
    assert.equal(end(), '');
    await stop();
  });

  it('keeps it where another only seemed to: it had not noticed yet', async () => {
    const { at, passes, stop, end } = started();
    Object.assign(at, { isLost: true, isAnotherWell: true });
    await passes(2);
    at.isAnotherWell = false;
    await passes(2);
    at.isAnotherWell = true;
    await passes(2);
    assert.equal(end(), '');
    await stop();
  });

  it('ends it once the catalog may take it for dead', async () => {
    const { at, passes, end } = started();
    await passes(1);
    at.isSilent = true;
    await passes(1);
    assert.equal(end(), 'the catalog answers no beat: another may have the turn');
  });

  it('goes on after a moment in which it stood still itself, and had not read the answer', async () => {
    const { at, passes, stop, end } = started();
    await passes(1);
    at.isSilent = true;
    await passes(1 / 20);
    at.isSilent = false;
    await passes(1);
    assert.equal(end(), '');
    await stop();
  });
});

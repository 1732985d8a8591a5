import assert from 'node:assert/strict';
import { Together } from '../../lib/together.ts';

describe('answers of one turn', () => {
  let turn: (() => void) | undefined;
  let sent: string[];
  let together: Together;
  beforeEach(() => {
    turn = undefined;
    sent = [];
    together = new Together((call) => {
      assert.equal(turn, undefined, 'a turn has one end');
      turn = call;
    });
  });

  const send = (name: string) => together.send(() => sent.push(name));
  const end = () => {
    const call = turn;
    turn = undefined;
    call?.();
  };

  it('go out as the first is ready, and all others when it is over, in their order', () => {
    for (const name of ['a', 'b', 'c']) send(name);
    assert.deepEqual(sent, ['a']);
    end();
    assert.deepEqual(sent, ['a', 'b', 'c']);
    send('d');
    assert.deepEqual(sent, ['a', 'b', 'c', 'd']);
  });

  it('that come while others go out are of the next', () => {
    send('a');
    together.send(() => send('of the next'));
    end();
    assert.deepEqual(sent, ['a', 'of the next']);
    send('with it');
    assert.deepEqual(sent, ['a', 'of the next']);
    end();
    assert.deepEqual(sent, ['a', 'of the next', 'with it']);
  });

  it('go out without a turn where each was alone for some, until it is looked again', () => {
    let looked = 0;
    for (let i = 0; i < 200; i++) {
      send(`${i}`);
      assert.equal(sent.length, i + 1);
      if (turn !== undefined) looked++;
      end();
    }
    assert.ok(looked < 20, `${looked} turns of 200`);
    for (let i = 0; turn === undefined; i++) {
      assert.ok(i < 100, 'it is never looked again');
      send('alone');
    }
    const before = sent.length;
    send('another');
    assert.equal(sent.length, before);
  });
});

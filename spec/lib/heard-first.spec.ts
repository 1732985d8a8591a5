/** One question that may be put to several, where those that are asked first say nothing. */
import assert from 'node:assert/strict';
import { ProconsulError } from '../../lib/errors.ts';
import { heardFirst } from '../../lib/heard-first.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';

/** Whoever is asked does what the spec has them do, and rejects once nobody waits for them. */
function started(mayAsk: () => boolean = () => true) {
  const [clock, ending] = [new FakeClock(), new AbortController()];
  interface Asked {
    readonly heard: () => void;
    readonly signal: AbortSignal;
    readonly answer: (answer: string) => void;
    readonly fail: (why: string) => void;
  }
  const asked: Asked[] = [];
  const ask = (signal: AbortSignal, heard: () => void) =>
    new Promise<string>((answer, reject) => {
      const fail = (why: string) => reject(new ProconsulError('unavailable', why));
      signal.addEventListener('abort', () => fail('ended'), { once: true });
      asked.push({ heard, signal, answer, fail });
    });
  const answered = heardFirst({ clock, signal: ending.signal, ask, mayAsk });
  const open = () => asked.map(({ signal }) => !signal.aborted);
  return { clock, ending, asked, answered, open };
}

describe('a question that is put to whoever is heard first', () => {
  it('is put to one alone who answers', async () => {
    const { clock, asked, answered } = started();
    await clock.advance(1999);
    asked[0]?.answer('a');
    assert.equal(await answered, 'a');
    await clock.advance(60_000);
    assert.deepEqual([asked.length, clock.armed], [1, 0]);
  });

  it('is put to another after each silence, which is twice as long as the one before', async () => {
    const { clock, asked, answered, open } = started();
    const counts: number[] = [];
    for (const ms of [1999, 1, 3999, 1, 7999, 1]) {
      await clock.advance(ms);
      counts.push(asked.length);
    }
    assert.deepEqual(counts, [1, 2, 2, 3, 3, 4]);
    asked[1]?.answer('b');
    assert.equal(await answered, 'b');
    assert.deepEqual([open(), clock.armed], [[false, true, false, false], 0]);
  });

  it('ends the others once one is heard, and is put to another where that one falls silent', async () => {
    const { clock, asked, answered, open } = started();
    await clock.advance(2000);
    asked[1]?.heard();
    assert.deepEqual(open(), [false, true]);
    for (let i = 0; i < 5; i++) {
      await clock.advance(3000);
      asked[1]?.heard();
    }
    assert.equal(asked.length, 2);
    await clock.advance(4000);
    assert.deepEqual(open(), [false, true, true]);
    asked[2]?.heard();
    asked[2]?.answer('c');
    assert.equal(await answered, 'c');
    assert.deepEqual(open(), [false, false, true]);
  });

  it('fails with the one that was asked, and waits for whoever was asked beside', async () => {
    const alone = started();
    const failed = assert.rejects(alone.answered, /refused/);
    alone.asked[0]?.fail('refused');
    await failed;
    const both = started();
    await both.clock.advance(2000);
    both.asked[1]?.fail('refused');
    await both.clock.advance(1000);
    both.asked[0]?.answer('a');
    assert.equal(await both.answered, 'a');
    assert.equal(both.clock.armed, 0);
  });

  it('ends with its signal', async () => {
    const { clock, ending, answered, open } = started();
    await clock.advance(2000);
    const failed = assert.rejects(answered, /ended/);
    ending.abort();
    await failed;
    assert.deepEqual([open(), clock.armed], [[false, false], 0]);
  });

  it('is put to nobody else while that may not be', async () => {
    let may = false;
    const { clock, asked, answered } = started(() => may);
    await clock.advance(2000);
    assert.equal(asked.length, 1);
    may = true;
    await clock.advance(4000);
    assert.equal(asked.length, 2);
    asked[0]?.answer('a');
    await answered;
  });
});

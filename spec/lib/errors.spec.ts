import assert from 'node:assert/strict';
import { describeChain, ProconsulError } from '../../lib/errors.ts';

describe('describeChain', () => {
  const chain = (...texts: readonly string[]) =>
    texts.reduceRight<unknown>(
      (cause, text) => new ProconsulError('internal', text, cause === undefined ? {} : { cause }),
      undefined,
    );

  it('tells an error with all its causes', () => {
    assert.equal(describeChain(chain('a', 'b', 'c')), 'a: b: c');
    assert.equal(describeChain('a word'), 'a word');
  });

  it('tells nothing twice: what a text has taken up of its cause, and what a cause repeats', () => {
    assert.equal(
      describeChain(chain('Open failed. EISDIR: read', 'EISDIR: read')),
      'Open failed. EISDIR: read',
    );
    assert.equal(describeChain(chain('a', 'b', 'a', 'c')), 'a: b: c');
    assert.equal(describeChain(chain('', 'b', '')), 'b');
    const many = '2 errors occurred:\n\t* Failed to join a: no\n\t* Failed to join b: no\n\n';
    assert.equal(describeChain(chain(many, 'Failed to join a: no', 'no')), many);
  });

  it('drops no cause whose words are by chance in what was said before', () => {
    assert.equal(describeChain(chain('append to redis', 'redis')), 'append to redis: redis');
    assert.equal(describeChain(chain('disk full: again', 'full')), 'disk full: again: full');
    assert.equal(describeChain(chain('write: timed out', 'timed')), 'write: timed out: timed');
  });

  it('ends where an error is its own cause', () => {
    const own = new Error('a');
    own.cause = own;
    assert.equal(describeChain(own), 'a');
  });
});

import assert from 'node:assert/strict';
import { compileRights, ruleSet } from '../../../lib/acl/compile-rights.ts';
import { RightsCache } from '../../../lib/acl/rights-cache.ts';

const MB = 1024 * 1024;
const KB = 1024;

function cache() {
  return new RightsCache({ maxBytes: 64 * MB, defaultPolicy: 'deny', onEvict() {} });
}

/** Rules of about so many characters. */
function longRules(name: string, characters: number) {
  const rule = `key_prefix "${name}/${'x'.repeat(1000)}" { policy = "read" }\n`;
  const rules = Array.from({ length: characters / rule.length }, (_, i) =>
    rule.replace('xxxxxxxx', String(i).padStart(8, '0')),
  );
  return ruleSet(rules.join(''));
}

describe('rights that are kept', () => {
  it('are there at once where their rules are short, and once for all', () => {
    const rights = cache();
    const sets = [ruleSet('key "a" { policy = "read" }')];
    const found = rights.of('k', sets);
    assert(!(found instanceof Promise) && found.may('key', 'read', 'a'));
    assert.equal(rights.of('k', []), found);
  });

  it('are compiled while others are served where their rules are long, and once for all who wait', async () => {
    const rights = cache();
    const sets = Array.from({ length: 6 }, (_, i) => longRules(`n${i}`, 200 * KB));
    const coming = rights.of('k', sets);
    assert(coming instanceof Promise);
    assert.equal(rights.of('k', sets), coming);
    let turns = 0;
    const count = () => {
      turns++;
      waiting = setImmediate(count);
    };
    let waiting = setImmediate(count);
    const found = await coming;
    clearImmediate(waiting);
    assert(turns >= 4, `${turns} turns`);
    assert.equal(rights.of('k', sets), found);
    const whole = compileRights(sets, 'deny');
    assert.equal(found.key, whole.key);
    for (const name of ['n3/00000001', 'n5/00000150', 'n7/00000001']) {
      const key = name + 'x'.repeat(1000);
      assert.equal(found.may('key', 'read', key), whole.may('key', 'read', key));
    }
  });

  it('are none where their rules are too long together', () => {
    const sets = Array.from({ length: 11 }, (_, i) => longRules(`n${i}`, 200 * KB));
    assert.throws(() => cache().of('k', sets), {
      code: 'forbidden',
      message: /^Permission denied: the rules of this token are \d+ characters long/,
    });
  });

  it('are not kept where a text cannot be read', async () => {
    const rights = cache();
    const sets = [longRules('n', 200 * KB), ruleSet('key {')];
    await assert.rejects(async () => rights.of('k', sets), { code: 'rejected' });
    await assert.rejects(async () => rights.of('k', sets), { code: 'rejected' });
  });
});

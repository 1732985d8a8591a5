/** What an entry says of other clusters: who is to be called there must not be called here. */
import assert from 'node:assert/strict';
import { decodeEntry, refuseFaulty, refuseUnwritable } from '../../../lib/config-entries/kinds.ts';

const resolver = (over: object) => decodeEntry({ Kind: 'service-resolver', Name: 'web', ...over });

const ELSEWHERE: readonly (readonly [said: object, why: RegExp])[] = [
  [
    { Redirect: { Service: 'api', Peer: 'east' } },
    /^Redirect.Peer "east": clusters are not peered/,
  ],
  [
    { Redirect: { Service: 'api', SamenessGroup: 'g' } },
    /^Redirect.SamenessGroup: sameness groups/,
  ],
  [{ Failover: { '*': { Targets: [{ Service: 'api' }, { Peer: 'east' }] } } }, /\.Peer "east"/],
  [{ Failover: { '*': { SamenessGroup: 'g' } } }, /^Failover\["\*"\]\.SamenessGroup/],
];

describe('a resolver that leads to another cluster', () => {
  for (const [said, why] of ELSEWHERE) {
    it(`is refused of whoever writes it, and kept where it stands: ${JSON.stringify(said)}`, () => {
      const entry = resolver(said);
      assert.throws(() => refuseUnwritable(entry), { message: why });
      refuseFaulty(entry);
    });
  }

  it('is none where it says that it is here', () => {
    const Failover = { '*': { Targets: [{ Service: 'api', Peer: '' }] } };
    refuseUnwritable(resolver({ Failover }));
  });

  it('has no time below nothing', () => {
    const message = "Bad RequestTimeout '-1s', must be >= 0";
    assert.throws(() => refuseUnwritable(resolver({ RequestTimeout: '-1s' })), { message });
  });
});

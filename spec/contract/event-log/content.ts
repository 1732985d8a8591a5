import assert from 'node:assert/strict';
import { MAX_JSON_DEPTH } from '../../../lib/json-bounds.ts';
import type { Command } from '../../../server/commands.ts';
import { encodeProposal } from '../../../server/log/payload.ts';
import { kvCommand, proposal } from '../../support/experiments/proposals.ts';
import { type CaseOf, untilFed } from './log-case.ts';

const UNUSUAL: Readonly<Record<string, string>> = {
  'line separators': 'a\u2028b\u2029c',
  'control characters': 'nul\0 tab\t newline\n return\r escape\x1b delete\x7f',
  'quotes and backslashes': '"\\" \\u0000 \\\\n',
  'what Go escapes': '<script>&amp;</script>',
  'surrogate pairs': '𝄞 🎉 𐍈',
  'a lone surrogate': '\ud800 and \udc00',
  'text that ends a record of Redis': '*3\r\n$4\r\nEVAL\r\n',
  'a byte order mark': '\ufeffkey',
  spaces: '  leading and trailing  ',
  'a key of every object': '__proto__',
};

/** A value as long as the longest that Consul takes, in base64. */
const LONG_VALUE = 'QUJD'.repeat(174_763);

export function describeContent(caseOf: CaseOf): void {
  const roundTrip = async (commands: readonly Command[]) => {
    const first = await caseOf().restart();
    await first.log.append(commands.map((command, i) => encodeProposal(`c${i}`, command)));
    await untilFed(first, commands.length);
    assert.deepEqual(first.sink.commands, commands);
    const second = await caseOf().restart();
    assert.deepEqual(second.sink.commands, commands);
  };

  describe('what a command holds', () => {
    for (const [what, text] of Object.entries(UNUSUAL)) {
      it(`comes back as it was written: ${what}`, async () => {
        await roundTrip([kvCommand(text), kvCommand('plain'), kvCommand(text, { session: text })]);
      });
    }

    it('comes back as it was written: integers of 64 bits', async () => {
      const all = [0, 2 ** 53 - 1, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];
      await roundTrip(all.map((flags) => kvCommand('k', { flags })));
    });

    it('comes back as it was written: names that every object has', async () => {
      const Meta = JSON.parse('{"__proto__":"x","constructor":"y","toString":"z","2":"b","1":"a"}');
      const node = { ID: '', Node: 'n', Address: '', Datacenter: '', TaggedAddresses: null, Meta };
      await roundTrip([{ type: 'register', node, skipNodeUpdate: false, checks: [] }]);
    });

    it('comes back as it was written: the longest values', async () => {
      await roundTrip(
        Array.from({ length: 8 }, (_, i) => kvCommand(`k${i}`, { value: LONG_VALUE })),
      );
    });

    it('comes back as it was written: a body nested as deeply as one may be, wrapped', async () => {
      const Definition = { deep: nested(MAX_JSON_DEPTH) };
      const check = { CheckID: 'c', Name: 'c', Status: '', Notes: '', Output: '', ServiceID: '' };
      const checks = [{ ...check, Type: '', Definition }];
      const node = {
        ID: '',
        Node: 'n',
        Address: '',
        Datacenter: '',
        TaggedAddresses: null,
        Meta: null,
      };
      await roundTrip([{ type: 'register', node, skipNodeUpdate: false, checks }]);
    });

    it('may be a proposal id of any text', async () => {
      const opened = await caseOf().restart();
      const ids = Object.values(UNUSUAL).filter((text) => !text.includes('\ud800 '));
      for (let i = 0; i < 2; i++) await opened.log.append(ids.map((id) => proposal(id)));
      await untilFed(opened, ids.length);
      assert.deepEqual((await caseOf().restart()).sink.ids, ids);
    });
  });
}

function nested(depth: number): unknown {
  let value: unknown = 0;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

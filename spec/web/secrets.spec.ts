import assert from 'node:assert/strict';
import { writeMethod } from '../../web/core/access-methods.ts';
import { type ConfigEntryRow, changeEntry, shownTextOf } from '../../web/core/config-entries.ts';
import { HIDDEN, hidesSecrets, shownOf, withoutSecrets } from '../../web/core/secrets.ts';

const ENTRY: ConfigEntryRow = {
  ...{ Kind: 'inline-certificate', Name: 'site', CreateIndex: 1, ModifyIndex: 7 },
  ...{ Certificate: 'public', PrivateKey: 'do-not-tell' },
};

describe('secrets on the page', () => {
  it('are hidden in a list too, which stays one', () => {
    const list = [{ Token: 'x', Name: 'a' }, 'b'];
    assert.deepEqual(withoutSecrets(list), [{ Token: HIDDEN, Name: 'a' }, 'b']);
  });

  it('are in no command, whatever form it is of', () => {
    const draft = {
      name: 'okta',
      displayName: '',
      description: '',
      ttl: '',
      type: 'oidc',
    } as const;
    const config = JSON.stringify({ OIDCClientSecret: 'do-not-tell', OIDCClientID: 'us' });
    const made = writeMethod(undefined, { ...draft, config });
    const kept = writeMethod(
      {
        ...{ Name: 'okta', Type: 'oidc', CreateIndex: 1, ModifyIndex: 2 },
        Config: { OIDCClientSecret: 'do-not-tell', Nested: { ServiceAccountJWT: 'do-not-tell' } },
      },
      {
        ...draft,
        config: '{"OIDCClientSecret":"<hidden>","Nested":{"ServiceAccountJWT":"do-not-tell"}}',
      },
    );
    const changed = changeEntry(shownTextOf(ENTRY), ENTRY);
    for (const action of [made, kept, changed]) {
      assert.ok(action !== undefined);
      assert.ok(JSON.stringify(action).includes('do-not-tell'));
      assert.equal(JSON.stringify(shownOf(action)).includes('do-not-tell'), false);
      assert.equal(hidesSecrets(action), true);
    }
  });

  it('are shown in no entry, and kept where it is changed', () => {
    const text = shownTextOf(ENTRY);
    assert.equal(text.includes('do-not-tell'), false);
    const { body } = changeEntry(text.replace('public', 'other'), ENTRY) ?? {};
    assert.deepEqual(JSON.parse(String(body)), {
      ...{ Kind: 'inline-certificate', Name: 'site' },
      ...{ Certificate: 'other', PrivateKey: 'do-not-tell' },
    });
    const anew = changeEntry(text.replace('<hidden>', 'another'), ENTRY);
    assert.equal(JSON.parse(String(anew?.body)).PrivateKey, 'another');
  });

  it('are found in lists too, and go where the rest of their row goes', () => {
    const entry = { ...ENTRY, Parts: [{ Token: 'do-not-tell' }, { Name: 'b' }] };
    const text = shownTextOf(entry);
    assert.equal(text.includes('do-not-tell'), false);
    const { body } = changeEntry(text.replace('"b"', '"c"'), entry) ?? {};
    assert.deepEqual(JSON.parse(String(body)).Parts, [{ Token: 'do-not-tell' }, { Name: 'c' }]);
    const [a, b] = [{ Url: 'a' }, { Url: 'b' }];
    const two = { ...ENTRY, Parts: ['a', 'b'].map((each) => ({ Url: each, Token: `of ${each}` })) };
    const hidden = { Token: '<hidden>' };
    const saved = (Parts: object[]) => {
      const action = changeEntry(JSON.stringify({ ...ENTRY, Parts }), two);
      return action && JSON.parse(String(action.body)).Parts;
    };
    assert.deepEqual(saved([{ ...b, ...hidden }]), [{ Url: 'b', Token: 'of b' }]);
    assert.deepEqual(
      saved([
        { ...b, ...hidden },
        { ...a, Token: 'new' },
      ]),
      [
        { Url: 'b', Token: 'of b' },
        { Url: 'a', Token: 'new' },
      ],
    );
    // Of which one it was nobody knows: it is to be written out.
    assert.equal(saved([{ Url: 'c', ...hidden }]), undefined);
    assert.equal(
      saved([
        { ...a, ...hidden },
        { ...a, ...hidden },
      ]),
      undefined,
    );
  });

  it('are looked for in JSON alone: whatever else is written is shown letter by letter', () => {
    for (const body of ['{"a" :1}', 'PrivateKey', '{"PrivateKey":', '[1]', '']) {
      const action = {
        method: 'PUT',
        path: '/v1/kv/a',
        body,
        command: { words: ['kv', 'put'], args: ['a', body] },
      };
      const { body: shown, command } = shownOf({ ...action, method: 'PUT' });
      assert.deepEqual([shown, command], [action.body, action.command]);
    }
  });
});

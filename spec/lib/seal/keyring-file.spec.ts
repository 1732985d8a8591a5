import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadKeyring } from '../../../lib/seal/keyring-file.ts';
import { KEYS, keyringOf } from '../../support/sealed.ts';

describe('serf/local.keyring', () => {
  let dataDir = '';
  let path = '';

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'keyring-'));
    path = join(dataDir, 'serf', 'local.keyring');
  });
  afterEach(() => rmSync(dataDir, { recursive: true }));

  const load = (encrypt: string, disableKeyringFile = false) =>
    loadKeyring({ encrypt, dataDir, disableKeyringFile });
  const texts = (encrypt: string) => load(encrypt)?.keyring.keys.map(({ text }) => text);
  const put = (text: string) => {
    mkdirSync(join(dataDir, 'serf'));
    writeFileSync(path, text);
  };

  it('begins with the key of the configuration, for nobody else to read', () => {
    assert.deepEqual(texts(KEYS.first), [KEYS.first]);
    assert.equal(readFileSync(path, 'utf8'), `["${KEYS.first}"]`);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it('counts where there is one, with a line where the configuration says otherwise', () => {
    put(JSON.stringify([KEYS.second, KEYS.first]));
    assert.deepEqual(load(KEYS.first)?.warnings, []);
    assert.deepEqual(texts(''), [KEYS.second, KEYS.first]);
    const loaded = load(KEYS.third);
    assert.match(loaded?.warnings[0] ?? '', /keyring doesn't include key provided with -encrypt/);
    assert(!loaded?.warnings[0]?.includes(KEYS.third));
    assert.deepEqual(texts(KEYS.third), [KEYS.second, KEYS.first]);
  });

  it('is neither read nor written where it is disabled', () => {
    put(JSON.stringify([KEYS.second]));
    const loaded = load(KEYS.first, true);
    assert.deepEqual(loaded?.keyring, keyringOf(KEYS.first));
    loaded?.keep(keyringOf(KEYS.third));
    assert.equal(readFileSync(path, 'utf8'), `["${KEYS.second}"]`);
    assert.equal(load('', true), undefined);
  });

  it('keeps what the log made of it', () => {
    load(KEYS.first)?.keep(keyringOf(KEYS.second, KEYS.first));
    assert.deepEqual(texts(KEYS.first), [KEYS.second, KEYS.first]);
  });

  it('is not there without a key', () => assert.equal(load(''), undefined));

  const bad = { text: '{"a":1', empty: '[]', key: '["short"]', size: '["c2hvcnQ="]' };
  for (const [what, text] of Object.entries(bad)) {
    it(`is refused where it is damaged, and not shown: ${what}`, () => {
      put(text);
      const message = /^Failed to configure keyring: [^{[\]]*$/;
      assert.throws(() => load(KEYS.first), { code: 'invalid', message });
      assert.throws(
        () => load(KEYS.first),
        (error: Error) => error.message.includes(path),
        'the file is named',
      );
    });
  }

  it('refuses a key of another size in the configuration', () => {
    const message = 'Failed to configure keyring: key size must be 16, 24 or 32 bytes';
    assert.throws(() => load('c2hvcnQ='), { message });
  });
});

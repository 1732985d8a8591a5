import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Identities } from '../../../lib/tls/identities.ts';
import { TestAuthority, tlsSettings } from '../../support/certificates.ts';

describe('the certificates of a process', () => {
  let authority: TestAuthority;
  beforeEach(async () => {
    authority = await TestAuthority.create();
  });

  function load(https: Parameters<typeof tlsSettings>[0], now = Date.now()) {
    const warnings: string[] = [];
    const warn = (text: string) => void warnings.push(text);
    const identities = new Identities({ config: tlsSettings(https), warn, now: () => now });
    return { identities, warnings };
  }

  it('are refused with what is wrong with the file, and never with what is in it', async () => {
    const { certFile, keyFile } = await authority.files();
    const other = await authority.files();
    const nonsense = join(authority.folder, 'nonsense.pem');
    writeFileSync(nonsense, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    const nowhere = join(authority.folder, 'nowhere');
    const pair = /^Failed to load cert\/key pair: /;
    for (const [settings, why] of [
      [{ caFile: nowhere }, /^Error loading from .*: open .*nowhere: no such file or directory$/],
      [{ caFile: keyFile }, /^Error loading from .*: no certificate is in it$/],
      [{ caFile: nonsense }, /^Error loading from /],
      [{ caPath: nowhere }, /^Error loading from /],
      [{ caPath: authority.folder }, /^Error loading from .*: no certificate is in it$/],
      [{ certFile: nowhere, keyFile }, pair],
      [{ certFile, keyFile: nowhere }, pair],
      [{ certFile, keyFile: other.keyFile }, /private key does not match public key$/],
      [{ certFile, keyFile: certFile }, pair],
      [{ certFile: keyFile, keyFile }, pair],
      [{ certFile: nonsense, keyFile }, pair],
    ] as const) {
      assert.throws(
        () => load(settings),
        (error: Error) => why.test(error.message) && !/BEGIN|MHcC/.test(error.message),
        JSON.stringify(settings),
      );
    }
  });

  it('may come from a folder of authorities', async () => {
    const caPath = join(authority.folder, 'authorities');
    mkdirSync(caPath);
    const stranger = await TestAuthority.create();
    writeFileSync(join(caPath, 'a.pem'), authority.pair.cert);
    writeFileSync(join(caPath, 'b.crt'), stranger.pair.cert + authority.pair.cert);
    const files = await authority.files();
    const { identities } = load({ ...files, caPath, verifyIncoming: true });
    const { ca = [] } = identities.https ?? {};
    assert.equal(ca.length, 2);
  });

  it('stay as they are where a reload cannot read the new ones', async () => {
    const files = await authority.files();
    const { identities } = load(files);
    const before = identities.https;
    const other = await authority.files();
    const torn = tlsSettings({ ...files, keyFile: other.keyFile });
    assert.throws(() => identities.takeOver(torn), /does not match/);
    assert.throws(() => identities.takeOver(tlsSettings({})), /no certificate is named any more/);
    assert.equal(identities.https, before);
    identities.takeOver(tlsSettings(files));
    assert.notEqual(identities.https, before);
  });

  it('are warned of when they end soon, or have ended', async () => {
    const files = await authority.files({ days: 20 });
    const inDays = (days: number) => load(files, Date.now() + days * 24 * 3600_000).warnings;
    assert.deepEqual(inDays(0), []);
    assert.match(inDays(10)[0] ?? '', /^the certificate of .* ends in 9 days$/);
    assert.match(inDays(21)[0] ?? '', /has ended: others refuse it$/);
    const { identities, warnings } = load(files, Date.now() + 10 * 24 * 3600_000);
    identities.warnOfFaults();
    assert.equal(warnings.length, 2);
  });

  it('are warned of where clients cannot be verified, for the root above an authority is missing', async () => {
    const { certFile, keyFile } = await authority.files();
    const { caFile } = authority;
    const between = { certFile, keyFile, caFile: certFile, verifyIncoming: true };
    assert.match(load(between).warnings.join(), /has an authority without the root above it/);
    assert.deepEqual(load({ ...between, verifyIncoming: false }).warnings, []);
    assert.deepEqual(load({ ...between, caFile }).warnings, []);
  });
});

import assert from 'node:assert/strict';
import { logPayloads } from '../../../cli/process/log-payloads.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { KEYS, keyringOf } from '../../support/sealed.ts';

const seal = { keyring: keyringOf(KEYS.first), keep: () => undefined, data: undefined };

describe('what an operator is told of how the log is sealed', () => {
  const config = (keys: object, redisUrl?: string) => {
    const text = JSON.stringify({ data_dir: '/data', bind_addr: '127.0.0.1', ...keys });
    const host = fakeConfigHost({ files: { '/c.json': text } });
    return loadConfig({ argv: ['-config-file=/c.json'], host, redisUrl }).config;
  };
  const said = (of: ReturnType<typeof config>, by: typeof seal | undefined) => {
    const logger = new RecordingLogger();
    logPayloads(of, by, logger);
    return logger.lines;
  };

  it('that access control rests on nothing where Redis is in the clear', () => {
    const plain = config({}, 'redis://h');
    const guarded = { ...plain, acl: { ...plain.acl, enabled: true } };
    assert.match(
      said(guarded, undefined).join(),
      /^warn redis: access control is on, and nothing is/,
    );
    assert.deepEqual(said(guarded, seal), []);
    assert.deepEqual(said(plain, undefined), []);
    assert.deepEqual(said({ ...config({}), acl: guarded.acl }, undefined), []);
  });

  it('that it is open, while the log is being given a key', () => {
    const half = config({ encrypt_verify_incoming: false, encrypt_verify_outgoing: false });
    assert.match(said(half, seal).join(), /verify_outgoing is false.*verify_incoming is false/);
  });
});

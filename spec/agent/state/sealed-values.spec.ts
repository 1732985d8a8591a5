import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ValueFile } from '../../../agent/state/value-file.ts';
import { DataSeal } from '../../../lib/seal/data-seal.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { KEYS, keyringOf } from '../../support/sealed.ts';

describe('what an agent with a key keeps', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sealed-values-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const path = () => join(folder, 'journal');
  const open = (seal?: DataSeal) =>
    ValueFile.open(path(), { logger: new RecordingLogger(), clock: new FakeClock(), seal });
  const keep = async (name: string, seal?: DataSeal) => {
    const kept = await open(seal);
    kept.set(name, { token: 'planted' });
    await kept.close();
  };

  it('is sealed, and read again', async () => {
    const seal = DataSeal.open(folder, keyringOf(KEYS.first));
    await keep('a', seal);
    await keep('b', seal);
    assert(!readFileSync(path(), 'utf8').includes('planted'));
    const again = await open(DataSeal.open(folder, keyringOf(KEYS.first)));
    assert.deepEqual([...again.values.keys()], ['a', 'b']);
    await again.close();
  });

  it('is sealed from the next start on, where it was in the clear', async () => {
    await keep('a');
    assert(readFileSync(path(), 'utf8').includes('planted'));
    const kept = await open(DataSeal.open(folder, keyringOf(KEYS.first)));
    assert.deepEqual([...kept.values.keys()], ['a']);
    await kept.close();
    assert(!readFileSync(path(), 'utf8').includes('planted'));
  });

  it('opens under each key of a keyring that has changed', async () => {
    const seal = DataSeal.open(folder, keyringOf(KEYS.first));
    await keep('a', seal);
    seal.keep(keyringOf(KEYS.second));
    const later = await open(DataSeal.open(folder, keyringOf(KEYS.third, KEYS.second)));
    assert.deepEqual([...later.values.keys()], ['a']);
    await later.close();
  });

  it('is not thrown away by an agent that has lost its key: it does not start', async () => {
    const seal = DataSeal.open(folder, keyringOf(KEYS.first));
    await keep('a', seal);
    const message = /sealed, and this agent has no key \(encrypt\)/;
    await assert.rejects(open(), { code: 'invalid', message });
    const other = () => DataSeal.open(folder, keyringOf(KEYS.second));
    assert.throws(other, { code: 'invalid', message: /was kept under another key/ });
  });
});

import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Journal } from '../../../agent/state/journal.ts';
import { silentLogger } from '../../../lib/logger.ts';

describe('the journal of an agent', () => {
  let folder = '';
  const file = () => path.join(folder, 'agent', 'journal');
  const open = () => Journal.open(file(), silentLogger);

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'journal-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('has after a restart what was set, without what was deleted', async () => {
    const journal = await open();
    journal.set('a', { n: 1 });
    journal.set('b', 2);
    journal.set('a', { n: 3 });
    journal.delete('b');
    await journal.close();
    const again = await open();
    assert.deepEqual([...again.values], [['a', { n: 3 }]]);
    await again.close();
  });

  it('has on disk what a flush was waited for, without being closed', async () => {
    const journal = await open();
    journal.set('a', 1);
    await journal.flush();
    assert.match(await readFile(file(), 'utf8'), /\["a",1\]\n$/);
    await journal.close();
  });

  it('drops a last line that was cut off and goes on', async () => {
    const journal = await open();
    journal.set('a', 1);
    await journal.close();
    await appendFile(file(), '["b",{"x"');
    const again = await open();
    assert.deepEqual([...again.values], [['a', 1]]);
    again.set('c', 3);
    await again.close();
    const last = await open();
    assert.deepEqual([...last.values.keys()], ['a', 'c']);
    await last.close();
  });

  it('does not grow with what is past', async () => {
    const journal = await open();
    const value = 'x'.repeat(1000);
    for (let i = 0; i < 5000; i++) {
      journal.set('same', `${value}${i}`);
      if (i % 100 === 0) await journal.flush();
    }
    await journal.close();
    assert.ok((await stat(file())).size < 2 * 1024 * 1024);
    const again = await open();
    assert.equal(again.values.get('same'), `${value}4999`);
    await again.close();
  });
});

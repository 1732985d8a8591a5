import assert from 'node:assert/strict';
import { appendFile, cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ValueFile } from '../../../agent/state/value-file.ts';
import {
  nodeFiles,
  type ValueFileHandle,
  type ValueFiles,
} from '../../../agent/state/value-files.ts';
import { type Logger, silentLogger } from '../../../lib/logger.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { until } from '../../support/until.ts';

describe('the values that an agent keeps', () => {
  let folder = '';
  const file = () => path.join(folder, 'agent', 'journal');
  const open = (logger: Logger = silentLogger) =>
    ValueFile.open(file(), { logger, clock: new FakeClock() });

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'values-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('has after a restart what was set, without what was deleted', async () => {
    const kept = await open();
    kept.set('a', { n: 1 });
    kept.set('b', 2);
    kept.set('a', { n: 3 });
    kept.delete('b');
    await kept.close();
    const again = await open();
    assert.deepEqual([...again.values], [['a', { n: 3 }]]);
    await again.close();
  });

  it('has on disk what a flush was waited for, without being closed', async () => {
    const kept = await open();
    kept.set('a', 1);
    await kept.flush();
    assert.match(await readFile(file(), 'utf8'), /^\["a",1\]\n\0*$/);
    await kept.close();
    assert.equal(await readFile(file(), 'utf8'), '["a",1]\n');
  });

  it('does not grow with each write, and reads what has room behind it', async () => {
    const kept = await open();
    kept.set('a', 1);
    await kept.flush();
    const { size } = await stat(file());
    for (let i = 0; i < 20; i++) {
      kept.set('b', i);
      await kept.flush();
    }
    assert.equal((await stat(file())).size, size);
    const crashed = path.join(folder, 'crashed');
    await cp(file(), crashed);
    await kept.close();
    const said: string[] = [];
    const logger = { ...silentLogger, error: (line: string) => void said.push(line) };
    const again = await ValueFile.open(crashed, { logger, clock: new FakeClock() });
    assert.deepEqual(Object.fromEntries(again.values), { a: 1, b: 19 });
    assert.deepEqual(said, []);
    await again.close();
  });

  it('writes what must be there on a disk that has no room for more', async () => {
    let [most, failed] = [0, 0];
    const small = (handle: ValueFileHandle): ValueFileHandle => ({
      ...handle,
      async write(bytes, position) {
        if (position + bytes.length <= most) return await handle.write(bytes, position);
        failed++;
        throw new Error('ENOSPC: no space left on device');
      },
    });
    const files: ValueFiles = {
      ...nodeFiles,
      open: async (at) => small(await nodeFiles.open(at)),
      create: async (at) => small(await nodeFiles.create(at)),
    };
    most = 1000;
    const options = { logger: silentLogger, clock: new FakeClock(), files };
    const kept = await ValueFile.open(file(), options);
    for (let i = 0; i < 10; i++) {
      kept.set(`a${i}`, i);
      await kept.flush();
    }
    // It is not tried again with each write.
    assert.equal(failed, 1);
    await kept.close();
    const again = await ValueFile.open(file(), { logger: silentLogger, clock: new FakeClock() });
    assert.equal([...again.values].length, 10);
    await again.close();
  });

  it('drops a last line that was cut off and goes on', async () => {
    const kept = await open();
    kept.set('a', 1);
    await kept.close();
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
    const kept = await open();
    const value = 'x'.repeat(1000);
    for (let i = 0; i < 5000; i++) {
      kept.set('same', `${value}${i}`);
      if (i % 100 === 0) await kept.flush();
    }
    await kept.close();
    assert.ok((await stat(file())).size < 2 * 1024 * 1024);
    const again = await open();
    assert.equal(again.values.get('same'), `${value}4999`);
    await again.close();
  });

  it('skips a damaged line in the middle, says which, and has all others', async () => {
    const kept = await open();
    kept.set('a', 1);
    kept.set('b', 2);
    await kept.close();
    const text = await readFile(file(), 'utf8');
    await writeFile(file(), `["torn",{"x"${text}"neither"\n{}\n["c",3]\n`);
    const said: string[] = [];
    const logger = { ...silentLogger, error: (line: string) => void said.push(line) };
    const again = await open(logger);
    assert.deepEqual(
      [...again.values],
      [
        ['b', 2],
        ['c', 3],
      ],
    );
    await again.close();
    assert.deepEqual(
      said.map((line) => /line (\d+) is damaged/.exec(line)?.[1]),
      ['1', '3', '4'],
    );
    const last = await open();
    assert.deepEqual([...last.values.keys()], ['b', 'c']);
    await last.close();
  });

  describe('on a disk that fails', () => {
    const large = 'x'.repeat(600 * 1024);

    /** Sets and deletes, across a rewrite of the file; tells what each answer was. */
    async function use(kept: ValueFile): Promise<ReadonlyMap<string, unknown>> {
      const acknowledged = new Map<string, unknown>();
      const change = async (key: string, value: unknown) => {
        if (value === undefined) kept.delete(key);
        else kept.set(key, value);
        await kept.flush().then(
          () => acknowledged.set(key, value),
          () => acknowledged.delete(key),
        );
      };
      await change('a', 1);
      await change('b', { n: 'é'.repeat(50) });
      await change('big', `1${large}`);
      await change('big', `2${large}`);
      await change('a', undefined);
      await change('big', `3${large}`);
      await change('c', 3);
      await change('b', 4);
      return acknowledged;
    }

    it('loses nothing that it said was kept, whichever operation fails, and starts again', async () => {
      let failures = 0;
      for (let n = 1; ; n++) {
        await rm(folder, { recursive: true, force: true });
        const faults = new FaultyFiles(n);
        const clock = new FakeClock();
        const options = { logger: silentLogger, clock, files: faults };
        const kept = await ValueFile.open(file(), options).catch(() => undefined);
        if (kept === undefined) continue;
        const acknowledged = await use(kept);
        const values = new Map(kept.values);

        // As it is on the disk at this moment, in place of a crash.
        await cp(path.dirname(file()), path.join(folder, 'crashed'), { recursive: true });
        const at = path.join(folder, 'crashed', 'journal');
        const crashed = await ValueFile.open(at, { logger: silentLogger, clock });
        for (const [key, value] of acknowledged) {
          assert.deepEqual(crashed.values.get(key), value, `operation ${n}: ${key}`);
        }
        await crashed.close();

        // And what nobody asks for is written in the end.
        await clock.advance(60_000);
        await until(async () => faults.idle);
        await kept.close();
        const later = await open();
        assert.deepEqual(new Map(later.values), values, `after operation ${n}`);
        await later.close();
        if (!faults.failed) break;
        failures++;
      }
      assert.ok(failures > 15, `${failures} operations failed`);
      // Each of some thirty disks is written to by hundreds of KB, and waited for.
    }).timeout(60_000);

    it('goes on when the disk was full for a while, and writes by itself what it could not', async () => {
      const faults = new FaultyFiles(Number.POSITIVE_INFINITY);
      const clock = new FakeClock();
      const said: string[] = [];
      const logger = { ...silentLogger, error: (line: string) => void said.push(line) };
      const kept = await ValueFile.open(file(), { logger, clock, files: faults });
      kept.set('before', 1);
      await kept.flush();
      faults.full = true;
      kept.set('service:web', { a: 1 });
      await assert.rejects(kept.flush(), /failed persisting to data_dir/);
      for (let i = 0; i < 1000; i++) kept.set('state:web', i);
      await assert.rejects(kept.flush(), /failed persisting/);
      assert.ok(
        said.every((line) => line.includes('no space left')),
        said.join(),
      );
      faults.full = false;
      await clock.advance(60_000);
      await until(async () => (await readFile(file(), 'utf8')).includes('["state:web",999]'));
      assert.doesNotMatch(await readFile(file(), 'utf8'), /"state:web",5\]/);
      await kept.close();
      const again = await open();
      assert.deepEqual([...again.values.keys()], ['before', 'service:web', 'state:web']);
      await again.close();
    });

    it('starts on a full disk with what it kept', async () => {
      const kept = await open();
      kept.set('a', 1);
      await kept.close();
      await appendFile(file(), '["torn');
      const faults = new FaultyFiles(Number.POSITIVE_INFINITY);
      faults.full = true;
      const clock = new FakeClock();
      const again = await ValueFile.open(file(), { logger: silentLogger, clock, files: faults });
      assert.deepEqual([...again.values], [['a', 1]]);
      faults.full = false;
      again.set('b', 2);
      await again.flush();
      await again.close();
      assert.equal(await readFile(file(), 'utf8'), '["a",1]\n["b",2]\n');
    });
  });
});

/** Fails the n-th operation, a write half-way; or all that need space, as long as the disk is full. */
class FaultyFiles implements ValueFiles {
  full = false;
  failed = false;
  #left: number;
  #running = 0;

  constructor(n: number) {
    this.#left = n;
  }

  get idle(): boolean {
    return this.#running === 0;
  }

  makeFolder = (at: string) => this.#do(() => nodeFiles.makeFolder(at));
  read = (at: string) => this.#do(() => nodeFiles.read(at));
  open = (at: string) => this.#do(async () => this.#handle(await nodeFiles.open(at)));
  create = (at: string) => this.#do(async () => this.#handle(await nodeFiles.create(at)));
  rename = (from: string, to: string) => this.#do(() => nodeFiles.rename(from, to));
  remove = (at: string) => this.#do(() => nodeFiles.remove(at));
  syncFolder = (at: string) => this.#do(() => nodeFiles.syncFolder(at));

  #handle(file: ValueFileHandle): ValueFileHandle {
    return {
      write: (bytes, position) =>
        this.#do(
          () => file.write(bytes, position),
          () => file.write(bytes.subarray(0, bytes.length / 2), position),
        ),
      truncate: (bytes) => this.#do(() => file.truncate(bytes)),
      sync: () => this.#do(() => file.sync()),
      close: () => file.close(),
    };
  }

  async #do<T>(operation: () => Promise<T>, half?: () => Promise<void>): Promise<T> {
    this.#running++;
    try {
      const fails = --this.#left === 0;
      this.failed ||= fails;
      if (fails || (this.full && half !== undefined)) {
        await half?.();
        throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      }
      return await operation();
    } finally {
      this.#running--;
    }
  }
}

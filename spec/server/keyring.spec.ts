import assert from 'node:assert/strict';
import { ProconsulError } from '../../lib/errors.ts';
import { silentLogger } from '../../lib/logger.ts';
import { keyIdOf } from '../../lib/seal/box.ts';
import { parseKey } from '../../lib/seal/key.ts';
import { ClusterKeyring, FORGET_AFTER_MS } from '../../server/keyring.ts';
import { MemoryLog, MemoryStorage } from '../../server/log/memory-log.ts';
import { encodeProposal } from '../../server/log/payload.ts';
import { SealedLog } from '../../server/log/sealed/sealed-log.ts';
import { proposal } from '../support/experiments/proposals.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { RecordingSink } from '../support/fakes/recording-sink.ts';
import { KEYS, type SealedOptions, sealedPayloads } from '../support/sealed.ts';
import { until } from '../support/until.ts';

const [first, second] = [parseKey(KEYS.first), parseKey(KEYS.second)];
const TICK_MS = 5000;
/** Until a leader helps. */
const PATIENCE_MS = 20_000;

/** As a disk would have it now. */
function copyOf({ snapshot, written }: MemoryStorage): MemoryStorage {
  return Object.assign(new MemoryStorage(), { snapshot, written: [...written] });
}

/** Puts the second key in the place of the first. */
async function rotate(keyring: ClusterKeyring) {
  await keyring.install(KEYS.second);
  await keyring.use(KEYS.second);
  await keyring.remove(KEYS.first);
}

async function start(storage = new MemoryStorage(), options: SealedOptions = {}) {
  const payloads = sealedPayloads(options);
  const log = new SealedLog(new MemoryLog({ clock: new FakeClock(), storage, payloads }), payloads);
  const sink = new RecordingSink(true);
  await log.start(sink);
  let made = 0;
  const state = {
    ...{ full: false, busy: false, asked: 0, complaints: 0 },
    newest: async (): Promise<void> => undefined,
  };
  const clock = new FakeClock();
  const keyring = new ClusterKeyring({
    payloads,
    log,
    propose: async (command) => {
      await log.append([encodeProposal(`k${made++}`, command)]);
      return { applied: true };
    },
    readiness: { read: async (_, evaluate) => await state.newest().then(evaluate) },
    saveSnapshot: async () => {
      state.asked++;
      if (state.busy) throw new ProconsulError('busy', 'another server saves one');
      if (state.full) throw new Error('no room');
      const { position } = sink;
      await log.saveSnapshot({ position, lines: ['{"state":1}'] });
    },
    clock,
    logger: { ...silentLogger, warn: () => void state.complaints++ },
  });
  /** As a leader does it. */
  const lead = async (ms: number) => {
    for (let past = 0; past < ms; past += TICK_MS) {
      await keyring.tick();
      await clock.advance(TICK_MS);
    }
    await keyring.tick();
  };
  const write = (id: string) => log.append([proposal(id)]);
  const texts = () => keyring.keys.map(({ text }) => text);
  const isSound = () => log.newestSnapshot() >= payloads.soundFrom;
  return { storage, payloads, log, sink, keyring, write, texts, state, lead, isSound };
}

describe('the keyring of a cluster', () => {
  it('follows from the log: what was installed and used seals, for whoever reads it on', async () => {
    const kept: string[][] = [];
    const server = await start(undefined, {
      keep: ({ keys }) => void kept.push(keys.map(({ text }) => text)),
    });
    await server.write('a');
    await server.keyring.install(KEYS.second);
    await server.keyring.use(KEYS.second);
    await server.write('b');
    assert.deepEqual(server.texts(), [KEYS.second, KEYS.first]);
    assert.deepEqual(kept, [
      [KEYS.first, KEYS.second],
      [KEYS.second, KEYS.first],
    ]);
    const ids = server.storage.written.map(({ payload }) => keyIdOf(payload));
    assert.equal(ids.at(-1), second.id);
    const late = await start(server.storage, { keys: [KEYS.second, KEYS.first] });
    assert.deepEqual(late.texts(), [KEYS.second, KEYS.first]);
    assert(late.sink.ids.includes('b'));
  });

  it('is changed as it stands by then, by a server that was behind when it was asked', async () => {
    const { keyring, state, texts } = await start();
    state.newest = async () => {
      state.newest = async () => undefined;
      await keyring.install(KEYS.second);
    };
    await keyring.use(KEYS.second);
    assert.deepEqual(texts(), [KEYS.second, KEYS.first]);
  });

  it('never stands in the log in the clear', async () => {
    for (const seals of [true, false]) {
      const { storage, keyring } = await start(undefined, { seals, refusesPlain: seals });
      await keyring.install(KEYS.fourth);
      assert(!JSON.stringify(storage.written.map(({ payload }) => payload)).includes(KEYS.fourth));
    }
  });

  it('lets a key go when a snapshot has taken the place of what it sealed', async () => {
    const { storage, keyring, write, payloads, texts, log, lead } = await start();
    await write('a');
    await rotate(keyring);
    await write('b');
    assert.deepEqual(texts(), [KEYS.second]);
    await lead(FORGET_AFTER_MS);
    assert.deepEqual([...payloads.openers.keys()], [second.id]);
    await log.stop();
    // Who has the new key alone reads all that there is.
    const late = await start(storage, { keys: [KEYS.second] });
    assert.deepEqual(late.sink.restored?.lines, ['{"state":1}']);
    assert(late.sink.ids.includes('b'));
    // And the old one is of no use.
    await assert.rejects(
      start(storage, { keys: [KEYS.first] }),
      /snapshot of entry \d+ is refused/,
    );
  });

  it('keeps a key whose entries no snapshot could replace, and says so', async () => {
    const { keyring, state, payloads, write, lead, isSound } = await start();
    await write('a');
    await keyring.install(KEYS.second);
    await keyring.use(KEYS.second);
    state.full = true;
    await assert.rejects(keyring.remove(KEYS.first), { code: 'rejected', message: /not gone yet/ });
    assert(payloads.openers.has(first.id));
    await lead(FORGET_AFTER_MS);
    assert(payloads.openers.has(first.id));
    state.full = false;
    await lead(FORGET_AFTER_MS);
    await until(isSound);
    await lead(FORGET_AFTER_MS);
    assert(!payloads.openers.has(first.id));
  });

  /** One that uses another key, whose snapshot could not be saved. */
  async function startFull() {
    const server = await start();
    const { keyring, state, write } = server;
    await write('a');
    await keyring.install(KEYS.second);
    state.full = true;
    await keyring.use(KEYS.second);
    await until(() => state.complaints === 1);
    return server;
  }

  it('asks for a snapshot less and less often while none can be saved, and complains as often', async () => {
    const { state, lead, isSound } = await startFull();
    [state.asked, state.complaints] = [0, 0];
    await lead(60 * 60_000);
    assert(state.asked < 20, `asked ${state.asked} times in an hour`);
    assert.equal(state.complaints, state.asked);
    state.full = false;
    await lead(FORGET_AFTER_MS + PATIENCE_MS);
    await until(isSound);
  });

  it('says nothing of a snapshot that another server saves, and looks again soon', async () => {
    const { state, lead, isSound } = await startFull();
    Object.assign(state, { full: false, busy: true, complaints: 0 });
    await lead(5 * PATIENCE_MS);
    assert.equal(state.complaints, 0);
    state.busy = false;
    await lead(PATIENCE_MS);
    await until(isSound);
  });

  it('keeps a key for minutes in which a log may come back that needs it', async () => {
    let kept: readonly string[] = [];
    const options: SealedOptions = {
      keep: ({ keys, retired }) => {
        kept = [...keys, ...retired].map(({ text }) => text);
      },
    };
    const server = await start(undefined, options);
    await server.write('a');
    const before = copyOf(server.storage);
    await rotate(server.keyring);
    await server.lead(FORGET_AFTER_MS - 2 * TICK_MS);
    // All have lost their power, and Redis what it had not written.
    const again = await start(copyOf(before), { keys: kept });
    assert.deepEqual(again.sink.ids, ['a']);
    await server.lead(2 * TICK_MS);
    assert.deepEqual(kept, [KEYS.second]);
  });

  it('replaces a snapshot of before that has come back, and counts the minutes anew', async () => {
    const { storage, keyring, write, payloads, lead, isSound } = await start();
    await write('a');
    const before = copyOf(storage);
    await rotate(keyring);
    await lead(FORGET_AFTER_MS - 2 * TICK_MS);
    storage.snapshot = before.snapshot;
    await lead(PATIENCE_MS);
    await until(isSound);
    await lead(FORGET_AFTER_MS - 2 * TICK_MS);
    assert(payloads.openers.has(first.id));
    await lead(FORGET_AFTER_MS);
    assert(!payloads.openers.has(first.id));
  });

  it('seals as all others can read it where the log has lost that another key was used', async () => {
    let kept: readonly string[] = [];
    const options: SealedOptions = {
      keep: ({ keys }) => {
        kept = keys.map(({ text }) => text);
      },
    };
    const server = await start(undefined, options);
    await server.write('a');
    const before = copyOf(server.storage);
    await server.keyring.install(KEYS.second);
    await server.keyring.use(KEYS.second);
    const again = await start(before, { keys: kept });
    await again.write('b');
    // Who was away all the while.
    assert.deepEqual((await start(before)).sink.ids, ['a', 'b']);
    await again.keyring.use(KEYS.second);
    assert.deepEqual(again.texts(), [KEYS.second, KEYS.first]);
  });

  it('tells who was away of a key that became primary, as long as one of his is there', async () => {
    const { storage, keyring, write } = await start();
    await write('a');
    await keyring.install(KEYS.second);
    await keyring.use(KEYS.second);
    await until(() => storage.snapshot !== undefined);
    await write('b');
    const late = await start(copyOf(storage));
    assert.deepEqual(late.sink.restored?.lines, ['{"state":1}']);
    assert.deepEqual(late.texts(), [KEYS.second, KEYS.first]);
    assert.equal(late.sink.ids.at(-1), 'b');
    // Taken out, it is told nothing more.
    await keyring.remove(KEYS.first);
    await assert.rejects(start(copyOf(storage)), /snapshot of entry \d+ is refused/);
  });

  it('passes over what was sealed under a key that was taken out meanwhile, on every server', async () => {
    const { storage, keyring, write, payloads, log, sink } = await start();
    await write('a');
    await keyring.install(KEYS.second);
    await keyring.use(KEYS.second);
    // A server that has slept: what it sealed comes behind the entry that took its key out.
    const sleeping = sealedPayloads().seal([proposal('late')]);
    await keyring.remove(KEYS.first);
    await new MemoryLog({ clock: new FakeClock(), storage, payloads }).start(
      new RecordingSink(true),
    );
    const inner = new MemoryLog({ clock: new FakeClock(), storage, payloads });
    const seen = new RecordingSink(true);
    await inner.start(seen);
    await inner.append(sleeping);
    assert.equal(seen.commands.at(-1)?.type, 'void');
    await log.stop();
    const late = await start(storage, { keys: [KEYS.second] });
    assert.equal(late.sink.commands.at(-1)?.type, 'void');
    assert(!sink.ids.includes('late'));
  });

  it('takes one of two changes that know of the same keyring', async () => {
    const { keyring, texts } = await start();
    await Promise.all([keyring.install(KEYS.second), keyring.install(KEYS.third)]);
    assert.deepEqual(new Set(texts()), new Set([KEYS.first, KEYS.second, KEYS.third]));
  });

  it('is shared by all who read the log, once the log knows of it', async () => {
    const { keyring } = await start(undefined, { keys: [KEYS.first, KEYS.second] });
    assert.deepEqual(
      keyring.keys.map((key) => keyring.isShared(key)),
      [true, false],
    );
    await keyring.install(KEYS.third);
    assert(keyring.keys.every((key) => keyring.isShared(key)));
  });
});

describe('a log that began in the clear', () => {
  it('is read where encrypt_verify_incoming is false, and refused by name where not', async () => {
    const storage = new MemoryStorage();
    const plain = new MemoryLog({ clock: new FakeClock(), storage });
    await plain.start(new RecordingSink());
    await plain.append([proposal('a')]);
    await plain.stop();
    await assert.rejects(start(storage), { message: /entry 1 of the log is refused/ });
    const moving = await start(storage, { refusesPlain: false });
    assert.equal(moving.payloads.sawPlain, true);
    await moving.write('b');
    // As the server does at its start: the snapshot takes the place of what is in the clear.
    const { position } = moving.sink;
    await moving.log.saveSnapshot({ position, lines: ['{"state":1}'] });
    await moving.write('c');
    assert.deepEqual((await start(storage)).sink.ids, ['c']);
  });

  it('is of no use to a server without the key, once it is sealed', async () => {
    const { storage, write } = await start();
    await write('a');
    const plain = new MemoryLog({ clock: new FakeClock(), storage });
    const message = 'entry 1 of the log is sealed, and this server has no key (encrypt)';
    await assert.rejects(plain.start(new RecordingSink()), { message });
  });
});

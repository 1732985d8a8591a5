/** The cluster's keyring: what `encrypt` began, and operators change while writes go on. */
import { type Clock, pause } from '../lib/clock.ts';
import { describeChain, ProconsulError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { type Key, parseKey } from '../lib/seal/key.ts';
import { forgetRetired, install, type Keyring, retire, use } from '../lib/seal/keyring.ts';
import type { Command } from './commands.ts';
import type { EventLog } from './log/event-log.ts';
import { type SealedPayloads, writeKeyring } from './log/sealed/sealed-payloads.ts';
import type { Readiness } from './readiness.ts';
import type { Outcome } from './state/outcome.ts';

/** Of operators who change it at once one is first; the others look again. */
const MAX_ATTEMPTS = 5;

export interface ClusterKeyringDeps {
  readonly payloads: SealedPayloads;
  readonly log: Pick<EventLog, 'newestSnapshot'>;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly readiness: Pick<Readiness, 'read'>;
  /** Saves one of the state as it is, or as it is later; rejects when that failed. */
  readonly saveSnapshot: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const MAX_REWRITES = 40;
const REWRITE_PAUSE_MS = 250;

/** Who changes the key has the log rewritten himself, unless he ends first, or Redis loses that again. */
const REWRITE_AFTER_MS = 10_000;
/** A snapshot may be large, and whatever keeps it from being saved does not go for being asked: less and less often. */
const MAX_REWRITE_MS = 5 * 60_000;

/**
 * So long the log must have had no need of a key that was taken out, without a break: all may lose their
 * power at once, and a Redis that comes back with less than it had needs that key again.
 */
export const FORGET_AFTER_MS = 5 * 60_000;

const NOT_GONE =
  'the key is not gone yet: it seals nothing new, but the log holds what it has sealed until a snapshot is saved, which is tried again; the log of the server says why none was';

type Change = (keyring: Keyring) => Keyring;

/** What the leader sees of the log, and since when. */
interface Sight {
  /** What a snapshot must be of, at least. */
  readonly soundFrom: number;
  readonly isSound: boolean;
  readonly since: number;
}

/** Of its duties as a leader: what stands in the log needs no key but those that there are. */
export class ClusterKeyring {
  readonly #deps: ClusterKeyringDeps;
  #sight: Sight | undefined;
  #isRewriting = false;
  /** How often in a row the leader found none that could be saved. */
  #failures = 0;
  readonly #stopping = new AbortController();

  constructor(deps: ClusterKeyringDeps) {
    this.#deps = deps;
  }

  stop(): void {
    this.#stopping.abort();
  }

  get keys(): readonly Key[] {
    return this.#deps.payloads.keyring.keys;
  }

  /** Whether every server that reads the log holds this key too. */
  isShared(key: Key): boolean {
    // Before the log knows of any, this server only knows what it was configured with itself; but who
    // reads the log has the key that it is sealed under.
    return this.#deps.payloads.keyring.version > 0 || key === this.keys[0];
  }

  async install(text: string): Promise<void> {
    const key = parseKey(text);
    await this.#change((keyring) => install(keyring, key));
  }

  /** What was sealed under other keys is rewritten soon: nobody waits for that. */
  async use(text: string): Promise<void> {
    const key = parseKey(text);
    const changed = await this.#change((keyring) => use(keyring, key));
    if (changed) this.#rewrite().catch((error: unknown) => this.#complain(error));
  }

  /** Resolves when nothing that has to be read is sealed under the key any more. It is forgotten later. */
  async remove(text: string): Promise<void> {
    const key = parseKey(text);
    await this.#change((keyring) => retire(keyring, key));
    if (this.#isSound()) return;
    try {
      await this.#rewrite();
    } catch (error) {
      this.#complain(error);
      throw new ProconsulError('rejected', NOT_GONE);
    }
  }

  async begin(): Promise<void> {
    // Another server has led meanwhile: nobody has looked for us.
    this.#sight = undefined;
    this.#failures = 0;
  }

  async tick(): Promise<void> {
    const { retired } = this.#deps.payloads.keyring;
    const { isSound, since } = this.#look();
    const lastedMs = this.#deps.clock.monotonic() - since;
    if (isSound) this.#failures = 0;
    const patienceMs = Math.min(REWRITE_AFTER_MS * 2 ** this.#failures, MAX_REWRITE_MS);
    if (!isSound && lastedMs >= patienceMs) this.#rewriteAgain();
    if (!isSound || retired.length === 0 || lastedMs < FORGET_AFTER_MS) return;
    await this.#change(forgetRetired);
  }

  /** Whether the newest snapshot, and all that comes after it, needs no key but those that there are. */
  #isSound(): boolean {
    const { log, payloads } = this.#deps;
    return log.newestSnapshot() >= payloads.soundFrom;
  }

  #look(): Sight {
    const { clock, payloads } = this.#deps;
    const { soundFrom } = payloads;
    const isSound = this.#isSound();
    const isAsBefore = this.#sight?.soundFrom === soundFrom && this.#sight.isSound === isSound;
    if (this.#sight === undefined || !isAsBefore) {
      this.#sight = { soundFrom, isSound, since: clock.monotonic() };
    }
    return this.#sight;
  }

  /** Nobody waits for it: a leader has more to do than to write what may be large. */
  #rewriteAgain(): void {
    this.#sight = undefined;
    if (this.#isRewriting) return;
    this.#isRewriting = true;
    const { saveSnapshot } = this.#deps;
    saveSnapshot()
      .catch((error: unknown) => {
        // Another server saves one: this one looks again what came of that.
        if (isBusy(error)) return;
        this.#failures++;
        this.#complain(error);
      })
      .finally(() => {
        this.#isRewriting = false;
      });
  }

  async #rewrite(): Promise<void> {
    const { clock, saveSnapshot } = this.#deps;
    for (let attempt = 1; ; attempt++) {
      try {
        await saveSnapshot();
        return;
      } catch (error) {
        // Another server is at it: its snapshot may be of before the change.
        const { aborted } = this.#stopping.signal;
        if (!isBusy(error) || aborted || attempt === MAX_REWRITES) throw error;
      }
      await pause(clock, REWRITE_PAUSE_MS, this.#stopping.signal);
    }
  }

  /** Whether there was anything to change. */
  async #change(change: Change): Promise<boolean> {
    const { payloads, readiness } = this.#deps;
    // Of a server that is behind a key would not be in the keyring that another has installed.
    await readiness.read('consistent', () => undefined);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const before = payloads.keyring;
      const after = change(before);
      if (after === before) return attempt > 0;
      await this.#propose(after, before.version);
    }
    throw new ProconsulError('busy', 'others change the keyring at the same time');
  }

  async #propose(keyring: Keyring, replaces: number): Promise<void> {
    const { propose } = this.#deps;
    const outcome = await propose({ type: 'set-keyring', replaces, ...writeKeyring(keyring) });
    if (outcome.refused !== undefined) throw new ProconsulError('rejected', outcome.refused);
  }

  #complain(error: unknown): void {
    this.#deps.logger.warn(`server: the log is not rewritten yet: ${describeChain(error)}`);
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof ProconsulError && error.code === 'busy';
}

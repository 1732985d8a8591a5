/**
 * The payloads of a log that is sealed: see README.md. The keyring follows from the log itself, entry
 * by entry; what this server was configured with is only what that begins with.
 */
import { describeChain, ProconsulError } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/logger.ts';
import { isSealed, keyIdOf, open, Sealing } from '../../../lib/seal/box.ts';
import { type Key, parseKey } from '../../../lib/seal/key.ts';
import { type Keyring, primaryOf } from '../../../lib/seal/keyring.ts';
import type { Command, Entry, SetKeyring } from '../../commands.ts';
import type { Proposal } from '../event-log.ts';
import { OwnProposals } from '../own-proposals.ts';
import { decodeCommand, type PayloadReader, type StoredPayload } from '../payload.ts';

export interface SealedPayloadsDeps {
  /** Whose log it is: of two that have one key, neither takes what is the other's. */
  readonly datacenter: string;
  /** What to begin with. */
  readonly keyring: Keyring;
  /** Keeps what the log has made of it, for the next start. */
  readonly keep: (keyring: Keyring) => void;
  /** encrypt_verify_incoming: whether what is not sealed is refused. */
  readonly refusesPlain: boolean;
  /** encrypt_verify_outgoing: whether what is written is sealed. */
  readonly seals: boolean;
  readonly logger: Logger;
}

/** So many keyrings of the past are known, for a snapshot of an earlier position. */
const KEPT_VERSIONS = 16;

export const NOT_SEALED =
  'it is not sealed: somebody else has written it, or it is from before there was a key (encrypt_verify_incoming). docs/security.md says what to do';

const REMOVED: Command = {
  type: 'void',
  why: 'the key that this write was sealed under was taken out meanwhile: nothing was done, try again',
};

export class SealedPayloads implements PayloadReader {
  readonly #deps: SealedPayloadsDeps;
  readonly #sealing = new Sealing();
  /** By version, the newest last. */
  #keyrings: readonly Keyring[];
  /** Every key that opens, by its id. */
  readonly #openers = new Map<string, Key>();
  readonly #own = new OwnProposals();
  #soundFrom = 0;
  /** Whether anything was read that is not sealed. */
  sawPlain = false;

  constructor(deps: SealedPayloadsDeps) {
    this.#deps = deps;
    this.#keyrings = [deps.keyring];
    this.#learn(deps.keyring);
  }

  get datacenter(): string {
    return this.#deps.datacenter;
  }

  get keyring(): Keyring {
    return this.#keyrings.at(-1) ?? this.#deps.keyring;
  }

  /** As it was when the entry of that index had been admitted. */
  keyringAt(index: number): Keyring {
    return this.#keyrings.findLast(({ version }) => version <= index) ?? this.#deps.keyring;
  }

  /** A snapshot of an earlier index is sealed under a key that has lost its place since. */
  get soundFrom(): number {
    return this.#soundFrom;
  }

  /** Whether what is written is sealed. */
  get seals(): boolean {
    return this.#deps.seals;
  }

  get openers(): ReadonlyMap<string, Key> {
    return this.#openers;
  }

  get sealing(): Sealing {
    return this.#sealing;
  }

  get refusesPlain(): boolean {
    return this.#deps.refusesPlain;
  }

  /** The batch as it goes into the log. What is read back of it costs little until the next but one. */
  seal(batch: readonly Proposal[]): readonly Proposal[] {
    const key = primaryOf(this.keyring);
    const sealed = batch.map((proposal) => {
      if (!this.#deps.seals && proposal.command.type !== 'set-keyring') return proposal;
      const { id, command } = proposal;
      const payload = this.#sealing.seal(key, proposal.payload, this.#about(id));
      return { id, command, payload, bytes: payload.length };
    });
    this.#own.appending(sealed);
    return sealed;
  }

  decode(stored: StoredPayload): Command {
    const { index, id, payload } = stored;
    if (this.#isRemoved(payload)) return REMOVED;
    const own = this.#own.commandOf(stored);
    if (own !== undefined) return own;
    try {
      if (!isSealed(payload)) return this.#plain(payload);
      return decodeCommand(open(payload, this.#openers, this.#about(id)).toString());
    } catch (cause) {
      const isMissing = cause instanceof ProconsulError && cause.code === 'invalid';
      const what = `entry ${index} of the log is refused`;
      if (isMissing) throw new ProconsulError('invalid', what, { cause });
      throw new ProconsulError('internal', `${what}, and nothing after it is applied`, { cause });
    }
  }

  admit(entry: Entry, payload: string): Entry {
    const { command, index } = entry;
    // It has waited since before the key was taken out: no server may need that key to pass over it.
    if (this.#isRemoved(payload)) return { ...entry, command: REMOVED };
    if (!isSealed(payload)) return entry;
    if (this.keyring.version === 0) this.#sealAs(payload);
    if (command.type === 'set-keyring') this.#follow(command, index);
    return entry;
  }

  /** The state was replaced by that of a snapshot, or of the empty beginning. */
  restored(keyring: Keyring | undefined): void {
    this.#keyrings = [keyring ?? this.#deps.keyring];
    // Which of its changes the head does not tell. The snapshot that it came with is none the older for that.
    this.#soundFrom = keyring?.version ?? 0;
    this.#learn(this.keyring);
    if (keyring !== undefined) this.#keep();
  }

  /**
   * The log tells of no keyring, and may have done before it lost that: a key of this server's that others have
   * never heard of must not seal what they have to read.
   */
  #sealAs(payload: string): void {
    const { keyring } = this;
    const id = keyIdOf(payload);
    const key = keyring.keys.find((each) => each.id === id);
    if (key === undefined || key === keyring.keys[0]) return;
    const keys = [key, ...keyring.keys.filter((each) => each !== key)];
    this.#keyrings = [{ ...keyring, keys }];
  }

  #about(id: string): string {
    return `entry\0${this.datacenter}\0${id}`;
  }

  #isRemoved(payload: string): boolean {
    if (!isSealed(payload)) return false;
    const { keyring } = this;
    // Nearly always none was.
    if (keyring.removed.length === 0) return false;
    const id = keyIdOf(payload);
    return id !== primaryOf(keyring).id && keyring.removed.includes(id);
  }

  #plain(payload: string): Command {
    if (this.#deps.refusesPlain) throw new ProconsulError('internal', NOT_SEALED);
    this.sawPlain = true;
    return decodeCommand(payload);
  }

  #follow({ replaces, ...texts }: SetKeyring, version: number): void {
    // Of two changes at once the later one knew too little: whoever made it looks, and makes it again.
    if (replaces !== this.keyring.version) return;
    const next = readKeyring({ ...texts, version });
    if (takesPlace(next, this.keyring)) this.#soundFrom = version;
    this.#keyrings = [...this.#keyrings, next].slice(-KEPT_VERSIONS);
    this.#learn(next);
    this.#keep();
  }

  #learn({ keys, retired }: Keyring): void {
    // A key that is forgotten opens nothing that comes later.
    const known = new Map([...keys, ...retired].map((key) => [key.id, key]));
    for (const id of this.#openers.keys()) if (!known.has(id)) this.#openers.delete(id);
    for (const [id, key] of known) this.#openers.set(id, key);
  }

  #keep(): void {
    try {
      this.#deps.keep(this.keyring);
    } catch (error) {
      const why = `the keyring was not kept: after a restart this server may not read the log`;
      this.#deps.logger.error(`server: ${why}: ${describeChain(error)}`);
    }
  }
}

/** Whether something may be sealed under a key that seals no more, or is no more. */
function takesPlace(next: Keyring, { keys }: Keyring): boolean {
  const kept = new Set(next.keys.map(({ id }) => id));
  return primaryOf(next).id !== keys[0]?.id || keys.some(({ id }) => !kept.has(id));
}

export type KeyringTexts = Omit<SetKeyring, 'type' | 'replaces'>;

/** As it goes into the log and into snapshots, always sealed. */
export function writeKeyring({ keys, retired, removed }: Keyring): KeyringTexts {
  const texts = (some: readonly Key[]) => some.map(({ text }) => text);
  return { keys: texts(keys), retired: texts(retired), removed };
}

export function readKeyring(texts: KeyringTexts & { readonly version: number }): Keyring {
  const { version, keys, retired, removed } = texts;
  return { version, keys: keys.map(parseKey), retired: retired.map(parseKey), removed };
}

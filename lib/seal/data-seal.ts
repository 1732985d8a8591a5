/**
 * Seals what an agent keeps in its folder, line by line, under a key of its own: chance, kept there
 * sealed under each key of the keyring. So that a change of those is the change of one small file.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf, ProconsulError } from '../errors.ts';
import { isSealed, keyIdOf, open, Sealing } from './box.ts';
import { type Key, parseKey } from './key.ts';
import type { Keyring } from './keyring.ts';
import { writeWhole } from './write-whole.ts';

const KEY_BYTES = 32;
const ABOUT_KEY = 'data key';
const ABOUT_LINE = 'data';

export class DataSeal {
  readonly #path: string;
  readonly #key: Key;
  readonly #keys: ReadonlyMap<string, Key>;
  readonly #sealing = new Sealing();

  private constructor(path: string, key: Key) {
    this.#path = path;
    this.#key = key;
    this.#keys = new Map([[key.id, key]]);
  }

  /** Throws where the folder has a key that none of the keyring opens. */
  static open(dataDir: string, keyring: Keyring): DataSeal {
    const path = join(dataDir, 'serf', 'data.key');
    const kept = read(path);
    const text =
      kept === undefined ? randomBytes(KEY_BYTES).toString('base64') : unwrap(path, kept, keyring);
    const seal = new DataSeal(path, parseKey(text));
    seal.keep(keyring);
    return seal;
  }

  /** Whoever has one of these keys opens what is kept here. */
  keep({ keys, retired }: Keyring): void {
    const lines = [...keys, ...retired].map((key) =>
      this.#sealing.seal(key, this.#key.text, ABOUT_KEY),
    );
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    writeWhole(this.#path, `${lines.join('\n')}\n`);
  }

  seal(line: string): string {
    return this.#sealing.seal(this.#key, line, ABOUT_LINE);
  }

  /** A line that is not sealed is from before there was a key, and comes back as it is. */
  open(line: string): string {
    return isSealed(line) ? open(line, this.#keys, ABOUT_LINE).toString() : line;
  }
}

function read(path: string): readonly string[] | undefined {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function unwrap(path: string, lines: readonly string[], { keys, retired }: Keyring): string {
  const known = new Map([...keys, ...retired].map((key) => [key.id, key]));
  const line = lines.find((each) => known.has(keyIdOf(each)));
  if (line !== undefined) return openAt(path, line, known);
  const why = 'was kept under another key (encrypt): what this agent had registered cannot be read';
  throw new ProconsulError('invalid', `${path} ${why}`);
}

function openAt(path: string, line: string, known: ReadonlyMap<string, Key>): string {
  try {
    return open(line, known, ABOUT_KEY).toString();
  } catch (cause) {
    throw new ProconsulError('invalid', `${path}: ${messageOf(cause)}`);
  }
}

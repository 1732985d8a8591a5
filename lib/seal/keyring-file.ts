/** `serf/local.keyring` in data_dir, as Consul keeps it: a JSON list, the primary key first. */
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf, ProconsulError } from '../errors.ts';
import { type Key, parseKey } from './key.ts';
import type { Keyring } from './keyring.ts';
import { writeWhole } from './write-whole.ts';

export interface KeyringSettings {
  /** '' for none. */
  readonly encrypt: string;
  /** '' where nothing is kept. */
  readonly dataDir: string;
  readonly disableKeyringFile: boolean;
}

export interface LoadedKeyring {
  readonly keyring: Keyring;
  readonly warnings: readonly string[];
  /** Keeps the keyring's keys, where anything is kept; throws where the disk does not take them. */
  readonly keep: (keyring: Keyring) => void;
}

/**
 * The keys to begin with; undefined where there is none. What the file says counts, as in Consul: the
 * configuration's key only begins it.
 */
export function loadKeyring(settings: KeyringSettings): LoadedKeyring | undefined {
  try {
    return load(settings);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new ProconsulError('invalid', `Failed to configure keyring: ${error.message}`);
  }
}

function load({ encrypt, dataDir, disableKeyringFile }: KeyringSettings) {
  const given = encrypt === '' ? [] : [parseKey(encrypt)];
  if (disableKeyringFile || dataDir === '') return loaded(given, [], () => undefined);
  const path = join(dataDir, 'serf', 'local.keyring');
  const keep = (keyring: Keyring) => writeKeys(path, [...keyring.keys, ...keyring.retired]);
  const kept = readKeys(path);
  if (kept === undefined) {
    if (given.length > 0) writeKeys(path, given);
    return loaded(given, [], keep);
  }
  const isThere = given.every(({ id }) => kept.some((key) => key.id === id));
  const warning = "keyring doesn't include key provided with -encrypt, using keyring";
  return loaded(kept, isThere ? [] : [`agent: ${warning}: ${path}`], keep);
}

function loaded(
  keys: readonly Key[],
  warnings: readonly string[],
  keep: LoadedKeyring['keep'],
): LoadedKeyring | undefined {
  if (keys.length === 0) return undefined;
  return { keyring: { version: 0, keys, retired: [], removed: [] }, warnings, keep };
}

/** Undefined where there is no file. No message shows what is in it. */
function readKeys(path: string): readonly Key[] | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const texts = listOf(text);
  if (texts === undefined) throw new Error(`${path} holds no list of keys`);
  if (texts.length === 0) throw new Error(`no keys present in keyring: ${path}`);
  const keys = texts.map((each, at) => keyIn(path, each, at));
  return keys.filter(({ id }, at) => keys.findIndex((key) => key.id === id) === at);
}

/** Consul's words do not say where the key stands. */
function keyIn(path: string, text: string, at: number): Key {
  try {
    return parseKey(text);
  } catch (error) {
    throw new Error(`${messageOf(error)} (key ${at + 1} of ${path})`);
  }
}

function listOf(text: string): readonly string[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    const isList = Array.isArray(list) && list.every((each) => typeof each === 'string');
    return isList ? list : undefined;
  } catch {
    // V8's own message would show a piece of it.
    return undefined;
  }
}

/** At once: the log's next entry may be sealed under a key that came with this one. */
function writeKeys(path: string, keys: readonly Key[]): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeWhole(path, JSON.stringify(keys.map(({ text }) => text)));
}

/**
 * A snapshot's lines, compressed and sealed in chunks. Each chunk is bound to the snapshot's position,
 * to its number, to whether it is the last one, and to the head. The head holds the keyring, sealed under
 * each key that there is: who was away while another became primary learns of that one here.
 */
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw, type ZlibOptions } from 'node:zlib';
import { ProconsulError } from '../../../lib/errors.ts';
import { isSealed, keyIdOf, open } from '../../../lib/seal/box.ts';
import { type Key, parseKey } from '../../../lib/seal/key.ts';
import { type Keyring, primaryOf } from '../../../lib/seal/keyring.ts';
import type { Position, Snapshot } from '../event-log.ts';
import {
  type KeyringTexts,
  NOT_SEALED,
  readKeyring,
  type SealedPayloads,
  writeKeyring,
} from './sealed-payloads.ts';

/** Some milliseconds of work, most of it on another thread. */
const CHUNK_CHARACTERS = 256 * 1024;
/** What a chunk may grow to when it is opened: a line may be as long as the longest command. */
const MAX_CHUNK_BYTES = 64 * 1024 * 1024;
const FAST = 1;
/** In front of a chunk: others follow, or none does. */
const MORE = '+';
const LAST = '.';

// Looked up at each call: a simulated process has others in their place.
const deflate = (text: string, options: ZlibOptions) => promisify(deflateRaw)(text, options);
const inflate = (box: Buffer, options: ZlibOptions) => promisify(inflateRaw)(box, options);

/** Between the boxes of a head. */
const NEXT = ' ';

type Head = KeyringTexts & {
  readonly version: number;
  /** What the chunks are sealed under: the keyring is that of the position, and may not hold it yet. */
  readonly under?: string;
};

/** The snapshot as it goes into the log. */
export function sealSnapshot({ position, lines }: Snapshot, payloads: SealedPayloads): Snapshot {
  return { position, lines: sealedLines(position, lines, payloads) };
}

async function* sealedLines(
  position: Position,
  lines: Snapshot['lines'],
  payloads: SealedPayloads,
): AsyncGenerator<string> {
  const { sealing } = payloads;
  const keyring = payloads.keyringAt(position.index);
  // By the newest one there is: what it replaces may be taken out as soon as this is saved.
  const key = primaryOf(payloads.keyring);
  const shown: Head = {
    version: keyring.version,
    ...writeKeyring(keyring),
    under: key.text,
  };
  const [text, about] = [JSON.stringify(shown), aboutHead(payloads, position)];
  const head = payloads.keyring.keys.map((each) => sealing.seal(each, text, about)).join(NEXT);
  yield head;
  let number = 0;
  const chunk = async (block: string, kind: string) => {
    const place = aboutChunk({ head, number: number++, kind });
    return `${kind}${sealing.seal(key, await deflate(block, { level: FAST }), place)}`;
  };
  let block = '';
  for await (const line of lines) {
    block += `${line}\n`;
    if (block.length < CHUNK_CHARACTERS) continue;
    yield await chunk(block, MORE);
    block = '';
  }
  yield await chunk(block, LAST);
}

export interface OpenedSnapshot extends Snapshot {
  /** Undefined in a snapshot that is not sealed. */
  readonly keyring: Keyring | undefined;
}

/** Rejects by name what is not as this cluster sealed it; the lines do while they are read. */
export async function openSnapshot(
  { position, lines }: Snapshot,
  payloads: SealedPayloads,
): Promise<OpenedSnapshot> {
  const rest = iterate(lines);
  try {
    return await openHead(position, rest, payloads);
  } catch (error) {
    // Nobody reads on: a file would stay open.
    await rest.return(undefined);
    throw error;
  }
}

async function openHead(
  position: Position,
  rest: AsyncGenerator<string>,
  payloads: SealedPayloads,
): Promise<OpenedSnapshot> {
  const first = await rest.next();
  const head = first.done ? '' : first.value;
  if (!isSealed(head)) {
    refusing(position, () => {
      if (payloads.refusesPlain) throw new ProconsulError('internal', NOT_SEALED);
    });
    payloads.sawPlain = true;
    return { position, lines: first.done ? [] : prepended(head, rest), keyring: undefined };
  }
  const shown = refusing(position, () =>
    open(ourBox(head, payloads.openers), payloads.openers, aboutHead(payloads, position)),
  );
  const { under, ...texts } = JSON.parse(shown.toString()) as Head;
  const keyring = readKeyring(texts);
  // One from before heads said it is sealed under what this server has.
  const openers = new Map(payloads.openers);
  if (under !== undefined) openers.set(parseKey(under).id, parseKey(under));
  return { position, keyring, lines: openedLines({ position, head, rest, openers }) };
}

/** The box that is ours to open, or the first one: under that key all else is sealed. */
function ourBox(head: string, openers: ReadonlyMap<string, Key>): string {
  const boxes = head.split(NEXT);
  return boxes.find((box) => openers.has(keyIdOf(box))) ?? boxes[0] ?? '';
}

interface Sealed {
  readonly position: Position;
  readonly head: string;
  readonly rest: AsyncGenerator<string>;
  readonly openers: ReadonlyMap<string, Key>;
}

async function* openedLines({ position, head, rest, openers }: Sealed): AsyncGenerator<string> {
  let number = 0;
  let isLast = false;
  for await (const line of rest) {
    const kind = line.slice(0, 1);
    const about = aboutChunk({ head, number: number++, kind });
    const box = refusing(position, () => {
      if (isLast) throw new ProconsulError('internal', 'it goes on after its end');
      return open(line.slice(1), openers, about);
    });
    isLast = kind === LAST;
    const text = (await inflate(box, { maxOutputLength: MAX_CHUNK_BYTES })).toString();
    yield* text.split('\n').slice(0, -1);
  }
  refusing(position, () => {
    if (!isLast) throw new ProconsulError('internal', 'its end is missing');
  });
}

function refusing<T>({ index }: Position, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const code = cause instanceof ProconsulError ? cause.code : 'internal';
    throw new ProconsulError(code, `the snapshot of entry ${index} is refused`, { cause });
  }
}

function aboutHead({ datacenter }: SealedPayloads, { index, epoch, hash, t }: Position): string {
  return `snapshot\0${datacenter}\0${index} ${epoch} ${hash} ${t}`;
}

interface Place {
  readonly head: string;
  readonly number: number;
  readonly kind: string;
}

/** The head's own text stands for it, with all that it is about: no two are sealed alike. */
function aboutChunk({ head, number, kind }: Place): string {
  return `chunk\0${head}\0${number}${kind}`;
}

async function* iterate(lines: Snapshot['lines']): AsyncGenerator<string> {
  yield* lines;
}

async function* prepended(first: string, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  yield first;
  yield* rest;
}

/**
 * Keeps a server's ballot over its restarts: one that forgot what it promised to a new Redis could
 * help an old one to acknowledge what is nowhere else. docs/decisions/redis-quorum.md has the case.
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ProconsulError } from '../../../../lib/errors.ts';

/** The epoch that this server has promised to help begin in one Redis, and so in no other one. */
export interface Ballot {
  readonly run: string;
  readonly epoch: number;
  /** The newest that it promised to another Redis before. */
  readonly elsewhere: number;
  /** No epoch that it took part in has begun its indexes above this one. */
  readonly start: number;
}

export const NO_BALLOT: Ballot = { run: '', epoch: 0, elsewhere: 0, start: 0 };

export interface BallotStore {
  load(): Promise<Ballot>;
  /** Resolves when it is kept for good; rejects with a ProconsulError. */
  save(ballot: Ballot): Promise<void>;
}

/** Forgets with the process: one that has no disk. */
export const forgetfulBallots: BallotStore = {
  load: async () => NO_BALLOT,
  save: async () => undefined,
};

export class BallotFile implements BallotStore {
  readonly #path: string;

  constructor(folder: string) {
    this.#path = join(folder, 'redis-ballot.json');
  }

  /** Rejects 'invalid' where the file is there and holds none. */
  async load(): Promise<Ballot> {
    const text = await readFile(this.#path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new ProconsulError('invalid', `read ${this.#path}`, { cause: error });
    });
    if (text === undefined) return NO_BALLOT;
    // The first ones had no start.
    const [, run, epoch, elsewhere, start = 0] = FORM.exec(text) ?? [];
    if (run === undefined) throw new ProconsulError('invalid', `${this.#path} is damaged`);
    return { run, epoch: Number(epoch), elsewhere: Number(elsewhere), start: Number(start) };
  }

  /** Rejects 'unavailable' where the disk does not take it: nothing is promised then. */
  async save(ballot: Ballot): Promise<void> {
    try {
      await this.#write(ballot);
    } catch (cause) {
      throw new ProconsulError('unavailable', `keep a promise in ${this.#path}`, { cause });
    }
  }

  async #write({ run, epoch, elsewhere, start }: Ballot): Promise<void> {
    const folder = dirname(this.#path);
    await mkdir(folder, { recursive: true });
    const next = `${this.#path}.new`;
    await writeThrough(next, `${JSON.stringify({ run, epoch, elsewhere, start })}\n`);
    await rename(next, this.#path);
    await writeThrough(folder);
  }
}

const FORM =
  /^\{"run":"([0-9a-f]*)","epoch":(\d{1,16}),"elsewhere":(\d{1,16})(?:,"start":(\d{1,16}))?\}\n$/;

/** Flushes a file with its new text, or a folder with its names. */
async function writeThrough(path: string, text?: string): Promise<void> {
  const file = await open(path, text === undefined ? 'r' : 'w', 0o600);
  try {
    if (text !== undefined) await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

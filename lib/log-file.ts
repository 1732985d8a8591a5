/** The file that the log goes to beside the console. */
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { Clock } from './clock.ts';
import { ProconsulError } from './errors.ts';
import { RotatedFile } from './rotated-file.ts';

const DEFAULT_NAME = 'proconsul.log';
const DEFAULT_MAX_AGE_MS = 24 * 3_600_000;
/** Whoever may read the log sees what the agent does, so not everybody may. */
const MODE = 0o640;
/** A disk that stands still must not fill the memory: lines beyond it are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;

export interface LoggerFileOptions {
  /** As `log_file`: a folder with a slash at its end, or a file whose name gets the time put in. */
  readonly path: string;
  /** 0: however large. */
  readonly maxBytes: number;
  /** 0: a day. */
  readonly maxAgeMs: number;
  /** How many older pieces are kept: 0 for all, -1 for none. */
  readonly maxFiles: number;
  readonly clock: Clock;
}

export class LoggerFile extends Writable {
  readonly #file: RotatedFile;

  private constructor(file: RotatedFile) {
    super({ decodeStrings: true });
    this.#file = file;
  }

  /** Rejects where the first piece cannot be opened: a log that is not there helps nobody. */
  static async open({ path, maxAgeMs, ...rest }: LoggerFileOptions): Promise<LoggerFile> {
    try {
      const file = await RotatedFile.open({
        path: path.endsWith('/') ? join(path, DEFAULT_NAME) : path,
        maxAgeMs: maxAgeMs || DEFAULT_MAX_AGE_MS,
        mode: MODE,
        ...rest,
      });
      return new LoggerFile(file);
    } catch (cause) {
      throw new ProconsulError('invalid', `log_file ${path} cannot be written`, { cause });
    }
  }

  override _write(line: Buffer, _encoding: string, done: () => void): void {
    if (this.writableLength > MAX_WAITING_BYTES) {
      done();
      return;
    }
    // The console has the line too: a full disk is no reason to end.
    this.#file.append([line]).then(done, () => done());
  }

  override _final(done: () => void): void {
    this.#file.close().then(done, () => done());
  }
}

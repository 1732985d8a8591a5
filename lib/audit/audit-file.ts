/** A sink that writes to a file, so many lines at once as have come while it wrote the last ones. */
import { describeChain, ProconsulError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { RotatedFile, type RotatedFileOptions } from '../rotated-file.ts';
import type { AuditSink } from './audit-log.ts';

/** A disk that stands still must not fill the memory: lines beyond it are lost. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** Of one write: beyond it nothing becomes faster. */
const MAX_BATCH_LINES = 512;

export interface AuditFileOptions extends RotatedFileOptions {
  /** What the configuration calls it. */
  readonly name: string;
  readonly logger: Pick<Logger, 'error' | 'warn'>;
}

/** Of a RotatedFile, what is needed of it. */
export interface LineFile {
  append(lines: readonly Buffer[]): Promise<void>;
  close(): Promise<void>;
}

export class AuditFile implements AuditSink {
  readonly #file: LineFile;
  readonly #options: Pick<AuditFileOptions, 'name' | 'logger'>;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  /** Since it was last written: how many lines it lacks. */
  #lost = 0;

  constructor(file: LineFile, options: Pick<AuditFileOptions, 'name' | 'logger'>) {
    this.#file = file;
    this.#options = options;
  }

  /** Rejects where it cannot be written: who asks for an audit is not to run without. */
  static async open(options: AuditFileOptions): Promise<AuditFile> {
    try {
      return new AuditFile(await RotatedFile.open(options), options);
    } catch (cause) {
      const why = `audit.sink[${JSON.stringify(options.name)}].path cannot be written`;
      throw new ProconsulError('invalid', why, { cause });
    }
  }

  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      this.#lose(1, 'the disk is slower than requests come');
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    // In a turn of its own: what comes in this one goes out with it.
    this.#writing ??= new Promise((done) => setImmediate(done)).then(() => this.#writeAll());
  }

  /** Once what waits is written. */
  async stop(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting.splice(0, MAX_BATCH_LINES);
      for (const { length } of lines) this.#waitingBytes -= length;
      await this.#file.append(lines).then(
        () => this.#written(),
        (error: unknown) => this.#lose(lines.length, describeChain(error)),
      );
    }
    this.#writing = undefined;
  }

  /** Said once: that it goes on so is no news. */
  #lose(lines: number, why: string): void {
    const { name, logger } = this.#options;
    if (this.#lost === 0) {
      logger.error(
        `audit: sink ${JSON.stringify(name)} cannot be written, and requests go on without: ${why}`,
      );
    }
    this.#lost += lines;
  }

  #written(): void {
    if (this.#lost === 0) return;
    const { name, logger } = this.#options;
    logger.warn(
      `audit: sink ${JSON.stringify(name)} is written again, and lacks ${this.#lost} events`,
    );
    this.#lost = 0;
  }
}

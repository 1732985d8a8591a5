import { type Fields, type Logger, lineOf, silentLogger } from '../../../lib/logger.ts';
import { FileLog, type FileLogDeps } from '../../../server/log/file/file-log.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import type { MemoryFileSystem } from '../fakes/memory-file-system.ts';

export const LOG_FOLDER = '/log';

/** A file log on a disk in memory, with files small enough for every roll and trim to come up. */
export function fileLogOn(
  fileSystem: MemoryFileSystem,
  { onFatal = () => undefined, logger = silentLogger }: Partial<FileLogDeps> = {},
): FileLog {
  return new FileLog({
    folder: LOG_FOLDER,
    clock: new FakeClock(),
    logger,
    onFatal,
    disk: {
      fileSystem,
      lock: async () => async () => undefined,
      limits: { segmentBytes: 1500, allocateBytes: 700 },
    },
  });
}

/** Keeps the lines that it is given. */
export class RecordingLogger implements Logger {
  readonly lines: string[] = [];
  readonly #keep = (line: string, fields?: Fields) => void this.lines.push(lineOf(line, fields));
  readonly error = this.#keep;
  readonly warn = this.#keep;
  readonly info = this.#keep;
  readonly debug = this.#keep;
}

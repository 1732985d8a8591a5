import { type Fields, type Logger, lineOf } from '../../../lib/logger.ts';

/** Keeps what is said: 'warn agent: …'. */
export class RecordingLogger implements Logger {
  readonly lines: string[] = [];
  readonly error = this.#keep('error');
  readonly warn = this.#keep('warn');
  readonly info = this.#keep('info');
  readonly debug = (): void => undefined;

  #keep(level: string) {
    return (line: string, fields?: Fields) =>
      void this.lines.push(`${level} ${lineOf(line, fields)}`);
  }
}

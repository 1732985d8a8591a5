import type { Logger } from '../../../lib/logger.ts';

/** Keeps what is said: 'warn agent: …'. */
export class RecordingLogger implements Logger {
  readonly lines: string[] = [];
  readonly error = (line: string) => void this.lines.push(`error ${line}`);
  readonly warn = (line: string) => void this.lines.push(`warn ${line}`);
  readonly info = (line: string) => void this.lines.push(`info ${line}`);
  readonly debug = (): void => undefined;
}

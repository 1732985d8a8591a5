/**
 * The log's lines in the system's own: Node speaks no datagrams of Unix sockets, so they go through
 * `logger`, which every Linux has. It is given the grade of each line, and outlives no process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { ProconsulError } from './errors.ts';

/** A syslog that stands still must not fill the memory: lines beyond it are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** As syslog counts them. */
const GRADES: ReadonlyMap<string, number> = new Map([
  ['error', 3],
  ['warn', 4],
  ['info', 6],
  ['debug', 7],
]);

export interface SyslogOptions {
  /** As `syslog_facility`. */
  readonly facility: string;
  /** Specs put another in its place. */
  readonly program?: string;
}

export class Syslog extends Writable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    super({ decodeStrings: false });
    this.#child = child;
    // It may end at any time; the console has each line too.
    child.on('error', () => undefined);
    child.stdin?.on('error', () => undefined);
  }

  /** Rejects where there is no such program: a log that is not there helps nobody. */
  static async open({ facility, program = 'logger' }: SyslogOptions): Promise<Syslog> {
    const args = ['--prio-prefix', '-t', 'proconsul', '-p', `${facility.toLowerCase()}.info`];
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'] });
    try {
      await once(child, 'spawn');
    } catch (cause) {
      throw new ProconsulError('invalid', `enable_syslog: ${program} cannot be run`, { cause });
    }
    return new Syslog(child);
  }

  /** A line of the log, with its level before the first blank. */
  override _write(line: string, _encoding: string, done: () => void): void {
    const stdin = this.#child.stdin;
    if (stdin === null || stdin.destroyed || stdin.writableLength > MAX_WAITING_BYTES) {
      done();
      return;
    }
    const at = line.indexOf(' ');
    stdin.write(`<${GRADES.get(line.slice(0, at)) ?? 6}>${line.slice(at + 1)}`);
    done();
  }

  override _final(done: () => void): void {
    const { stdin } = this.#child;
    if (stdin === null || stdin.destroyed) done();
    else stdin.end(done);
  }
}
